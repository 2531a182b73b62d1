import LineProtocol
import Storage
import Synchronization

/// Where the lines of a listener go, and how they are read.
struct IngestSettings: Sendable {
  var counters: IngestCounters
  var database: String
  /// `nil`: the database's default policy.
  var policy: String?
  var precision: Precision
  var carriageReturn: CarriageReturnMode
}

/// Bytes to committed batches, for one thread: the receiver with its vocabulary, parsers that share it, one batch.
final class IngestPipeline {
  let batch = LineBatch()
  private let store: Store
  private let receiver: Receiver
  private let lineByteCountMax: Int
  private var parsers: [LineParser] = []
  private var target: (database: String, policy: String?, target: WriteTarget)?

  init(store: Store, configuration: ServerConfiguration) {
    self.store = store
    receiver = store.makeReceiver()
    lineByteCountMax = configuration.lineByteCountMax
  }

  /// How long a commit may be held back before it is refused as overloaded.
  var stallLimit: Duration {
    get { receiver.stallLimit }
    set { receiver.stallLimit = newValue }
  }

  /// Starts a batch.
  func begin() { batch.reset() }

  /// A framer that cuts lines as the parser for the same settings reads them.
  func makeFramer(_ settings: IngestSettings) -> LineFramer {
    LineFramer(options: options(settings))
  }

  /// Adds lines to the batch; returns the physical lines in `bytes`.
  @discardableResult func parse(
    _ bytes: UnsafeRawBufferPointer, _ settings: IngestSettings, now: Int64, firstLine: UInt64
  ) -> UInt64 {
    unsafe parser(settings).parse(bytes, now: now, firstLine: firstLine, into: batch)
  }

  /// Commits the batch to the listener's keyspace, counts and logs what was refused. The batch stays as it was parsed.
  ///
  /// - Returns: what became of it; `rejects` and `rejectCounts` are those of the parser and of the store together.
  func commit(
    _ settings: IngestSettings, context: ServerContext, now: Int64
  ) throws(StorageError) -> CommitResult {
    try commit(
      to: target(settings.database, settings.policy), counters: settings.counters, context: context, now: now)
  }

  /// The same, to a target that the caller knows.
  func commit(
    to target: WriteTarget, counters: IngestCounters, context: ServerContext, now: Int64
  ) throws(StorageError) -> CommitResult {
    // Refused lines are counted also where the others cannot be stored.
    if batch.rejectCount > 0 {
      counters.addRejects(batch.rejectCounts)
      context.rejectLog.append(batch.rejects, listener: counters.listener, time: now)
    }
    var result = CommitResult.none
    if batch.count > 0 { result = try receiver.commit(batch, to: target) }
    counters.accepted.wrappingAdd(UInt64(result.acceptedCount), ordering: .relaxed)
    if result.oldCount > 0 { counters.oldTimestamps.wrappingAdd(UInt64(result.oldCount), ordering: .relaxed) }
    if !result.rejects.isEmpty {
      counters.addRejects(result.rejectCounts)
      context.rejectLog.append(result.rejects, listener: counters.listener, time: now)
    }
    return result
  }

  /// The target of names; looked up anew when a commit finds that it was dropped.
  private func target(_ database: String, _ policy: String?) throws(StorageError) -> WriteTarget {
    if let target, target.database == database, target.policy == policy, store.holds(target.target.keyspace) {
      return target.target
    }
    let found = try store.target(database: database, policy: policy)
    target = (database, policy, found)
    return found
  }

  private func options(_ settings: IngestSettings) -> LineParser.Options {
    LineParser.Options(
      precision: settings.precision, carriageReturn: settings.carriageReturn, lineByteCountMax: lineByteCountMax)
  }

  private func parser(_ settings: IngestSettings) -> LineParser {
    for parser in parsers
    where parser.options.precision == settings.precision && parser.options.carriageReturn == settings.carriageReturn {
      return parser
    }
    let made = LineParser(vocabulary: receiver.vocabulary, options: options(settings))
    parsers.append(made)
    return made
  }
}
