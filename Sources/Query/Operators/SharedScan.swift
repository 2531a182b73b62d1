import Glibc
import Storage
import Synchronization

/// A scan into accumulators that several threads share where it is large: each takes shares of windows and series, and
/// what they gathered is joined in the end.
struct SharedScan: Sendable {
  let scan: MeasurementScan
  let columns: [AggregateColumn]
  let grid: TimeGrid
  let tagKeys: [[UInt8]]
  let limits: QueryLimits

  /// A piece of work: some series of one window.
  fileprivate struct Share {
    var window: Int
    var shard: Int
    var shardCount: Int
  }

  private struct Outcome: Sendable {
    var gathered: AggregatePass.Gathered?
    var counters = ScanCounters()
    var failure: (any Error)?
  }

  /// Where threads leave what they found.
  private final class Outcomes: Sendable {
    private let found = Lock<[Outcome]>([])

    var all: [Outcome] { found.withLock { $0 } }

    func append(_ outcome: Outcome) { found.withLock { $0.append(outcome) } }
  }

  /// Gives all that satisfies the scan's condition to `pass`, from one thread or from all cores.
  func run(into pass: AggregatePass) throws -> ScanCounters {
    let windows = scan.snapshot.windows(in: scan.times)
    let threadCount = Self.threadCountMax
    guard threadCount > 1, !scan.columns.isEmpty, !scan.times.isEmpty, isWorthSharing(scan.rowCount(of: windows)) else {
      return try scan.run(into: pass)
    }
    // Threads that share a window know the list of its series: not where it may be long.
    let isWide = windows.contains { scan.isWide($0, than: 8 * WindowSeriesPieces.countMax) }
    var known: [MeasurementScan.KnownSeries]?
    if !isWide, windows.count <= Self.listedWindowCountMax {
      // What a condition leaves may be little.
      let seen = scan.snapshot.clipped(scan.times)
      let lists = try windows.map { try scan.series(of: $0, seen) }
      guard isWorthSharing(scan.rowCount(of: lists, in: windows)) else { return try scan.run(into: pass, known: lists) }
      known = lists
    }
    let shards = isWide || windows.count >= 2 * threadCount ? 1 : threadCount
    let shares = windows.indices.flatMap { window in
      (0..<shards).map { Share(window: window, shard: $0, shardCount: shards) }
    }
    let lists = ShareLists(shares, known: known)
    let outcomes = try inParallel(threadCount, windows, shares, lists, offset: pass.offset)
    var counters = ScanCounters()
    counters.windowsByTime = scan.snapshot.windows.count - windows.count
    for outcome in outcomes {
      if let failure = outcome.failure { throw failure }
      counters += outcome.counters
      if let gathered = outcome.gathered { try pass.merge(gathered) }
    }
    return counters
  }

  /// Asked once: it reads a file.
  private static let threadCountMax = min(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), 16)
  /// Windows of which the series are looked up before it is decided whether threads share them.
  private static let listedWindowCountMax = 8

  private func isWorthSharing(_ rowCount: Double) -> Bool {
    rowCount * Double(scan.columns.count) >= Double(limits.sharedValueCountMin)
  }

  private func inParallel(
    _ threadCount: Int, _ windows: [WindowSnapshot], _ shares: [Share], _ lists: ShareLists, offset: Int64
  ) throws -> [Outcome] {
    let queue = ShareQueue(count: shares.count)
    let outcomes = Outcomes()
    let work: @Sendable () -> Void = {
      let outcome = take(from: queue, lists, windows, shares, offset: offset)
      if outcome.failure != nil { queue.stop() }
      outcomes.append(outcome)
    }
    var threads: [WorkerThread] = []
    for number in 1..<threadCount {
      // A thread that does not start leaves its share to the others.
      do throws(StorageError) { threads.append(try WorkerThread(name: "query-\(number)", body: work)) } catch
      { break }
    }
    work()
    for thread in threads { thread.join() }
    return outcomes.all
  }

  /// Works until no share is left.
  private func take(
    from queue: ShareQueue, _ lists: ShareLists, _ windows: [WindowSnapshot], _ shares: [Share], offset: Int64
  ) -> Outcome {
    var outcome = Outcome()
    let pass = AggregatePass(columns, grid: grid, tagKeys: tagKeys, limits: limits)
    pass.offset = offset
    pass.isInterrupted = scan.isCancelled
    let seen = scan.snapshot.clipped(scan.times)
    do {
      while let next = queue.next() {
        let share = shares[next]
        if share.shard == 0 { outcome.counters.windows += 1 }
        var known: MeasurementScan.KnownSeries?
        if share.shardCount > 1 || lists.isKnown {
          known = try lists.take(share) { () throws(StorageError) in
            try scan.series(of: windows[share.window], seen)
          }
        }
        try scan.scan(
          windows[share.window], seen, known: known, shard: share.shard, of: share.shardCount, into: pass,
          &outcome.counters)
      }
      outcome.gathered = pass.gathered
    } catch {
      outcome.failure = error
    }
    return outcome
  }
}

/// Numbers of shares, each given once.
private final class ShareQueue: Sendable {
  private let given = Atomic<Int>(0)
  private let count: Int

  init(count: Int) { self.count = count }

  func next() -> Int? {
    let number = given.add(1, ordering: .relaxed).oldValue
    return number < count ? number : nil
  }

  /// Gives no more.
  func stop() { given.store(count, ordering: .relaxed) }
}

/// The series of the windows that are read, found by the first thread that needs them and let go after the last share of a window.
private final class ShareLists: Sendable {
  private struct Entry {
    var shareCount = 0
    var list: MeasurementScan.KnownSeries?
  }
  /// One lock each, so that windows do not wait for each other.
  private final class Window: Sendable {
    let entry: Lock<Entry>

    init(shareCount: Int, list: MeasurementScan.KnownSeries?) {
      entry = Lock(Entry(shareCount: shareCount, list: list))
    }
  }
  private let windows: [Int: Window]
  /// Whether they were found before.
  let isKnown: Bool

  /// - Parameter known: those of each window, where they were found before.
  init(_ shares: [SharedScan.Share], known: [MeasurementScan.KnownSeries]?) {
    var counts: [Int: Int] = [:]
    for share in shares { counts[share.window, default: 0] += 1 }
    var windows: [Int: Window] = [:]
    for (window, count) in counts { windows[window] = Window(shareCount: count, list: known?[window]) }
    self.windows = windows
    isKnown = known != nil
  }

  func take(
    _ share: SharedScan.Share, find: () throws(StorageError) -> MeasurementScan.KnownSeries
  ) throws(StorageError) -> MeasurementScan.KnownSeries {
    guard let window = windows[share.window] else { return try find() }
    return try window.entry.withLock { (entry) throws(StorageError) in
      // Typed throws: `??` would lose the type.
      let list = if let known = entry.list { known } else { try find() }
      entry.shareCount -= 1
      entry.list = entry.shareCount > 0 ? list : nil
      return list
    }
  }
}
