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
    let rowCount = windows.reduce(0) { $0 + $1.runs.reduce(0) { $0 + $1.rowCount } }
    let threadCount = min(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), 16)
    guard threadCount > 1, rowCount >= limits.sharedRowCountMin, !scan.columns.isEmpty, !scan.times.isEmpty
    else {
      return try scan.run(into: pass)
    }
    // Threads that share a window know the list of its series: not where it may be long.
    let isWide = windows.contains { window in
      window.runs.reduce(0) { $0 + $1.seriesCountMax } > 8 * WindowSeriesPieces.countMax
    }
    let shards = isWide || windows.count >= 2 * threadCount ? 1 : threadCount
    let shares = windows.indices.flatMap { window in
      (0..<shards).map { Share(window: window, shard: $0, shardCount: shards) }
    }
    let outcomes = try inParallel(threadCount, windows, shares, offset: pass.offset)
    var counters = ScanCounters()
    counters.windowsByTime = scan.snapshot.windows.count - windows.count
    for outcome in outcomes {
      if let failure = outcome.failure { throw failure }
      counters += outcome.counters
      if let gathered = outcome.gathered { try pass.merge(gathered) }
    }
    return counters
  }

  private func inParallel(
    _ threadCount: Int, _ windows: [WindowSnapshot], _ shares: [Share], offset: Int64
  ) throws -> [Outcome] {
    let queue = ShareQueue(count: shares.count)
    let lists = ShareLists(shares)
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
    let seen = scan.snapshot.clipped(scan.times)
    do {
      while let next = queue.next() {
        let share = shares[next]
        if share.shard == 0 { outcome.counters.windows += 1 }
        var known: (WindowSeries, SelectionCounts)?
        if share.shardCount > 1 {
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
    var list: (WindowSeries, SelectionCounts)?
  }
  /// One lock each, so that windows do not wait for each other.
  private final class Window: Sendable {
    let entry: Lock<Entry>

    init(shareCount: Int) { entry = Lock(Entry(shareCount: shareCount)) }
  }
  private let windows: [Int: Window]

  init(_ shares: [SharedScan.Share]) {
    var counts: [Int: Int] = [:]
    for share in shares { counts[share.window, default: 0] += 1 }
    windows = counts.mapValues { Window(shareCount: $0) }
  }

  func take(
    _ share: SharedScan.Share, find: () throws(StorageError) -> (WindowSeries, SelectionCounts)
  ) throws(StorageError) -> (WindowSeries, SelectionCounts) {
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
