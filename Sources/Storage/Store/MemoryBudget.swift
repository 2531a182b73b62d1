/// The budget of the whole process, split among all that hold memory: each takes its bound from here.
///
/// The shares together are the budget. Some are no larger than what is of use, and what they leave goes to the cache and to queries.
public struct MemoryBudget: Sendable, Equatable {
  /// Who holds memory; the raw value is the label of the metrics.
  public enum Part: String, Sendable, CaseIterable {
    /// Code, stacks, buffers of sockets, and what the allocator keeps between two uses.
    case process
    /// Rows that are not in tables, and the blocks of their arenas that wait to be used again.
    case memtable
    /// Live series and the receivers' vocabularies.
    case series
    /// Batches on their way to the log, and the buffers of its groups.
    case log
    /// Blocks of tables that were read lately.
    case cache
    /// Flushes and merges under way.
    case compaction
    /// Rows and groups of statements under way, and their answers until they are sent.
    case queries
    /// Bodies of HTTP requests under way.
    case bodies
  }

  /// The least that holds under load; less is taken, and warned of.
  public static let byteCountMin = 128 << 20
  /// Rows: the bound is the time that a start takes to put them back, not memory.
  static let memtableByteCountMax = 256 << 20
  static let flushByteCountMax = 112 << 20
  /// What may come in while a flush is under way before writers are slowed.
  static let slackByteCountMax = 16 << 20
  static let logByteCountMax = 32 << 20
  /// What one flush or one merge takes; `CompactionMemoryTests` holds it to less.
  package static let jobByteCount = 16 << 20

  public let byteCount: Int
  private let shares: [Int]

  /// Splits a budget.
  public init(byteCount: Int) {
    self.byteCount = max(byteCount, 0)
    let process = min(24 << 20, self.byteCount / 4) + min(self.byteCount / 16, 256 << 20)
    let rest = self.byteCount - process
    var shares = [Int](repeating: 0, count: Part.allCases.count)
    func give(_ part: Part, _ thirtySeconds: Int, max most: Int = .max) {
      shares[part.index] = min(rest / 32 * thirtySeconds, most)
    }
    shares[Part.process.index] = process
    give(.memtable, 10, max: Self.memtableByteCountMax)
    give(.series, 8)
    give(.log, 2, max: Self.logByteCountMax)
    give(.compaction, 5, max: 17 * Self.jobByteCount)
    give(.bodies, 2)
    let left = self.byteCount - shares.reduce(0, +)
    shares[Part.queries.index] = left / 2
    shares[Part.cache.index] = left - left / 2
    self.shares = shares
  }

  /// Bytes that a part may hold.
  public func share(of part: Part) -> Int { shares[part.index] }

  /// The memtable is flushed from here on: later costs less, but where much is held already little more.
  var flushByteCount: Int { min(share(of: .memtable) / 8 * 5, Self.flushByteCountMax) }

  /// Writers are slowed from here on, and held at the share. A flush under way is not behind: writers go on meanwhile.
  var slowByteCount: Int {
    flushByteCount + min((share(of: .memtable) - flushByteCount) / 2, Self.slackByteCountMax)
  }

  /// The log's bound on batches that are taken and not decided: the group that fills, the one that is written, and two buffers that wait
  /// may each be as large.
  var logByteCountInFlightMax: Int { share(of: .log) / 4 }

  /// Merges at a time, beside a flush, of those that were asked for.
  func compactorCount(asked: Int) -> Int { min(asked, max(1, share(of: .compaction) / Self.jobByteCount - 1)) }
}

extension MemoryBudget.Part {
  fileprivate var index: Int {
    switch self {
    case .process: 0
    case .memtable: 1
    case .series: 2
    case .log: 3
    case .cache: 4
    case .compaction: 5
    case .queries: 6
    case .bodies: 7
    }
  }
}
