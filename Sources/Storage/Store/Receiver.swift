public import LineProtocol

/// What became of a batch.
public struct CommitResult: Sendable {
  public var ticket: Ticket
  /// Rows taken in.
  public var acceptedCount: Int
  /// Rows refused at this door: expired, too far in the future, in too many windows, or of a new series that there is no room
  /// for. Column 1, text empty; the first
  /// `LineBatch.rejectCountKept` of them.
  public var rejects: [Reject]
  /// All of them by `RejectReason.rawValue`; empty where there is none.
  public var rejectCounts: [Int]
  /// Rows taken in whose time lies before 1990: likely in another unit than the listener was told.
  public var oldCount: Int

  /// Of an empty batch.
  public static let none = CommitResult(
    ticket: Ticket(sequence: 0), acceptedCount: 0, rejects: [], rejectCounts: [], oldCount: 0)
}

/// A writer for one thread: its vocabulary's answers, its scratch.
public final class Receiver {
  /// Windows that one batch may touch; rows in further ones are refused.
  public static let windowCountMax = 4_096
  /// Time between two times that names are forgotten for want of memory, nanoseconds.
  private static let forgettingDelay: Int64 = 1_000_000_000
  /// 1990-01-01T00:00:00Z, nanoseconds.
  private static let oldTime: Int64 = 631_152_000 * 1_000_000_000

  /// The receiver's names; give it to the parser that fills the batches.
  public let vocabulary: Vocabulary
  /// How long a commit may be held back by pressure before it is refused as `.overloaded`.
  public var stallLimit: Duration = .seconds(30)

  private let store: Store
  private let encoder: RowEncoder
  private var placement = RowPlacement()
  private let router = PolicyRouter()
  private var inserters: [KeyspaceID: RowInserter] = [:]
  private var parts: [Part] = []
  /// What the store was told that this receiver's names take.
  private var toldByteCount = 0
  /// When the names were last forgotten for want of memory, monotonic nanoseconds.
  private var forgottenAt = Int64.min
  /// Rows were refused because the keyspace has no room for their windows.
  private var isOutOfWindows = false

  init(store: Store, number: UInt32) {
    self.store = store
    vocabulary = Vocabulary()
    encoder = RowEncoder(receiver: number)
    store.seriesMemory.vocabularyOpened()
  }

  deinit { store.seriesMemory.vocabularyClosed(toldByteCount) }

  /// Logs and inserts a batch that was parsed with `vocabulary`. Blocks while the memtable or the bytes in flight are
  /// over their bounds, at most `stallLimit`. Where rules spread it over policies each share is a batch of its own; the ticket is that
  /// of the last, and tickets are decided in order.
  ///
  /// - Throws: `.full` where the disk has no room, `.overloaded` under pressure past the limit, `.notFound` for a keyspace that
  ///   was dropped, `.io` once writes are refused; nothing of the batch is then stored, or only the shares of some policies.
  public func commit(_ batch: LineBatch, to target: WriteTarget) throws(StorageError) -> CommitResult {
    let version = store.publisher.version
    guard let state = version.keyspace(target.keyspace)?.state else {
      throw StorageError(.notFound, "no keyspace \(target.keyspace.number): it was dropped")
    }
    var result = CommitResult.none
    guard target.followsRules, let rules = version.rules[state.database] else {
      try commit(batch, to: state, isMeant: nil, into: &result)
      return result
    }
    let policies = version.keyspaces.filter { $0.state.database == state.database }.map { ($0.state.policy, $0.id) }
    router.route(
      batch, names: vocabulary, rules: rules, policies: Dictionary(policies) { first, _ in first }, to: state.id)
    for (index, keyspace) in router.targets.enumerated() where router.isUsed[index] {
      guard let state = version.keyspace(keyspace)?.state else { continue }
      try commit(batch, to: state, isMeant: { [router] in router.rows[$0] == UInt16(index) }, into: &result)
    }
    return result
  }

  /// Commits the rows that are meant for a keyspace.
  private func commit(
    _ batch: LineBatch, to state: KeyspaceState, isMeant: ((Int) -> Bool)?, into result: inout CommitResult
  ) throws(StorageError) {
    guard let log = store.log, let writing = store.writing else { throw StorageError(.invalid, "the store is open for reading only") }
    let keyspace = state.id
    let valid = store.validTimes(of: state)
    var windowCount = 0
    isOutOfWindows = false
    try placement.place(batch, valid: valid, isMeant: isMeant) { (time) throws(StorageError) in
      windowCount += 1
      if windowCount > Self.windowCountMax { return nil }
      do throws(StorageError) {
        return try store.window(covering: time, in: keyspace)
      } catch {
        guard error.code == .limit else { throw error }
        isOutOfWindows = true
        return nil
      }
    }
    let inserter = inserter(for: keyspace)
    inserter.admit(batch, names: vocabulary, nameCount: vocabulary.seriesCount, placement: &placement)
    if placement.acceptedCount < batch.count {
      refuse(batch, valid: valid, of: state, inserter, isMeant: isMeant, into: &result)
    }
    guard placement.acceptedCount > 0 else {
      // Names of what is refused take memory too.
      tellMemory()
      return
    }

    try writing.pressure.admit(keyspace: keyspace, limit: stallLimit)
    let sequence = try append(batch, to: keyspace, log: log)
    inserter.insert(batch, names: vocabulary, sequence: sequence, placement: placement, parts: parts)
    for part in parts { part.release() }
    parts.removeAll(keepingCapacity: true)
    writing.flusher.batchInserted()
    tellMemory()

    result.ticket = Ticket(sequence: sequence)
    result.acceptedCount += placement.acceptedCount
    guard placement.windows.contains(where: { $0.lowerBound < Self.oldTime }) else { return }
    for stretch in placement.stretches where stretch.window >= 0 {
      for row in stretch.rows where batch.timestamps[row] < Self.oldTime { result.oldCount += 1 }
    }
  }

  /// Tells the store what the receiver's names take; has them forgotten where that is too much.
  private func tellMemory() {
    var total = vocabulary.memoryByteCount + encoder.memoryByteCount
    for inserter in inserters.values { total += inserter.memoryByteCount }
    let verdict = store.seriesMemory.vocabularyChanged(by: total - toldByteCount, total: total)
    toldByteCount = total
    if verdict == .keep { return }
    // Learning a spelling costs a hundred times as much as knowing it: a sender that keeps to more series than there is room for is not
    // to be relearnt with every batch.
    let now = monotonicNanoseconds()
    if verdict == .forget, forgottenAt > .min, now - forgottenAt < Self.forgettingDelay { return }
    forgottenAt = now
    vocabulary.isToBeForgotten = true
  }

  /// Gives the batch its number, its place in the log and its hold on the parts, in one step under the log's lock.
  private func append(
    _ batch: LineBatch, to keyspace: KeyspaceID, log: WriteAheadLog
  ) throws(StorageError) -> UInt64 {
    while true {
      // The segment may change between encoding and appending: then the definitions must be written again.
      let segment = log.openSegment
      encoder.encode(batch, names: vocabulary, placement: placement, keyspace: keyspace, segment: segment)
      // The encoder's buffers live until its next call.
      let sequence = try unsafe log.append(
        segment: segment, within: stallLimit, definitions: UnsafeRawBufferPointer(encoder.definitions.elements),
        rows: UnsafeRawBufferPointer(encoder.rows.elements)
      ) {
        store.memtable.hold(keyspace, windows: placement.windows, sequence: $0, parts: &parts)
      }
      if let sequence {
        encoder.confirm()
        return sequence
      }
    }
  }

  private func inserter(for keyspace: KeyspaceID) -> RowInserter {
    if let known = inserters[keyspace] { return known }
    // Inserters of dropped keyspaces go here, where a new one comes.
    let version = store.publisher.version
    inserters = inserters.filter { version.keyspace($0.key) != nil }
    let made = store.memtable.makeInserter(for: keyspace)
    inserters[keyspace] = made
    return made
  }

  /// Counts what was refused, and says why.
  private func refuse(
    _ batch: LineBatch, valid: Range<Int64>, of keyspace: KeyspaceState, _ inserter: RowInserter,
    isMeant: ((Int) -> Bool)?, into result: inout CommitResult
  ) {
    let census = store.censuses.census(of: keyspace.database)
    var expiredCount = 0
    for stretch in placement.stretches where stretch.window < 0 {
      for row in stretch.rows where isMeant?(row) ?? true {
        if result.rejectCounts.isEmpty {
          result.rejectCounts = [Int](repeating: 0, count: RejectReason.allCases.count)
        }
        let time = batch.timestamps[row]
        let (reason, message): (RejectReason, String)
        if stretch.window == RowStretch.refusedByLimit, let refusal = inserter.refusal(of: batch.series[row]) {
          census.countRefused(refusal.limit)
          (reason, message) = (.limit, refusal.message)
        } else if time < valid.lowerBound {
          (reason, message) = (.expired, "points beyond retention policy")
          expiredCount += 1
        } else if time >= valid.upperBound {
          (reason, message) = (.future, "time is further in the future than the limit allows")
        } else {
          (reason, message) = (
            .limit,
            isOutOfWindows
              ? "the policy has \(store.options.windowCountMax) windows, the limit: it needs longer ones, or a TTL"
              : "more than \(Self.windowCountMax) windows in one batch"
          )
        }
        result.rejectCounts[Int(reason.rawValue)] += 1
        if result.rejects.count < LineBatch.rejectCountKept {
          result.rejects.append(
            Reject(reason: reason, line: Int(clamping: batch.lines[row]), column: 1, message: message, text: []))
        }
      }
    }
    if expiredCount > 0 { store.retainer.countExpiredOnArrival(expiredCount, of: keyspace.id) }
  }
}
