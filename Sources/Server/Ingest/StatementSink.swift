import LineProtocol
import Query
import Storage
import Synchronization

/// Takes in what statements write (`SELECT … INTO`), as a listener of its own would: it has counters, and refusals are logged.
struct StatementSink: PointSink {
  /// Outlives the engine that it gives the sink to.
  unowned let context: ServerContext
  let store: Store
  let pipelines = PipelinePool()

  func open(database: String, policy: String) throws(StorageError) -> any PointWriter {
    let target = try store.target(database: database, policy: policy)
    return StatementWriter(self, pipelines.take(store: store, configuration: context.configuration), target)
  }
}

/// Writes the points of one statement.
private final class StatementWriter: PointWriter {
  /// How long a batch waits for the store before it is asked whether the statement still stands.
  private static let stallLimit = Duration.milliseconds(20)

  private let sink: StatementSink
  private let pipeline: IngestPipeline
  private let target: WriteTarget
  private let settings: IngestSettings
  private var ticket = Ticket(sequence: 0)
  private(set) var acceptedCount = 0
  private(set) var rejectedCount = 0
  private(set) var firstReason = ""

  init(_ sink: StatementSink, _ pipeline: IngestPipeline, _ target: WriteTarget) {
    self.sink = sink
    self.pipeline = pipeline
    self.target = target
    settings = IngestSettings(
      counters: sink.context.statementCounters, database: "", precision: .nanoseconds, carriageReturn: .strict
    )
    pipeline.stallLimit = Self.stallLimit
  }

  deinit { sink.pipelines.give(pipeline) }

  func write(_ lines: [UInt8], isCancelled: () -> Bool) throws(StorageError) {
    let now = wallNanoseconds()
    pipeline.begin()
    // The bytes live as long as the call.
    unsafe lines.withUnsafeBytes { _ = unsafe pipeline.parse($0, settings, now: now, firstLine: 1) }
    settings.counters.bytes.wrappingAdd(UInt64(lines.count), ordering: .relaxed)
    while true {
      do throws(StorageError) { return try commit(now: now) } catch  where error.code == .overloaded {
        if isCancelled() { throw StorageError(.cancelled, "the statement was ended") }
      }
    }
  }

  private func commit(now: Int64) throws(StorageError) {
    let result = try pipeline.commit(to: target, counters: settings.counters, context: sink.context, now: now)
    if result.ticket.sequence > 0 { ticket = result.ticket }
    acceptedCount += result.acceptedCount
    rejectedCount += result.rejectCounts.reduce(0, +) + pipeline.batch.rejectCount
    if firstReason.isEmpty, let first = pipeline.batch.rejects.first ?? result.rejects.first {
      firstReason = first.message
    }
  }

  func finish() throws(StorageError) { try sink.store.wait(for: ticket) }
}
