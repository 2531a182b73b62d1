import Synchronization

/// The payload of a block as read, checked and decompressed, or what was made of blocks; shared by whoever reads it.
package final class CachedBlock: Sendable {
  /// Without trailer, decompressed; empty where `parsed` is.
  package let payload: [UInt8]
  let parsed: ParsedBlock?
  let byteCount: Int

  package init(_ payload: [UInt8]) {
    self.payload = payload
    parsed = nil
    byteCount = payload.count
  }

  init(_ parsed: ParsedBlock) {
    payload = []
    self.parsed = parsed
    byteCount = parsed.byteCount
  }
}

/// What is made of blocks of an index or dictionary again and again, kept beside them.
enum ParsedBlock: Sendable {
  case series(SeriesDictionary)
  case groups(RowGroupList)
  case entries([ColumnEntry])
  case places(SeriesPlaces)

  /// Distinguishes what is kept under the offset of one block; offsets stay below 2⁴⁸.
  enum Kind: Equatable {
    case series, groups, handles, statistics
    /// Of the 1,024 series from that place in their block.
    case places(Int)

    func key(_ offset: UInt64) -> UInt64 {
      let number: Int =
        switch self {
        case .series: 1
        case .groups: 2
        case .handles: 3
        case .statistics: 4
        case .places(let start): 16 + start / TableFormat.miniBlockCount
        }
      return offset | UInt64(number) << 48
    }
  }

  /// Bytes of memory, roughly.
  var byteCount: Int {
    switch self {
    case .series(let dictionary): dictionary.byteCount
    case .groups(let list): list.groups.count * (MemoryLayout<RowGroupEntry>.stride + 8)
    case .entries(let entries): entries.count * MemoryLayout<ColumnEntry>.stride
    case .places(let places): places.ordinals.count * 32
    }
  }
}

/// Blocks of all tables of a store that were read lately: capped by bytes, in shards, the least recently used go first.
///
/// Blocks of high priority (filters, directories, dictionary tops) are let go after all others, but take at most half:
/// beyond that their oldest become like the rest. Costs some 50 ns a look-up. Safe from several threads.
package final class BlockCache: Sendable {
  package enum Priority: Sendable { case low, high }

  /// Memory charged for an entry beyond its payload.
  static let entryByteCount = 128
  private static let shardCount = 16

  private let shards: [Shard]
  private let lastIdentifier = Atomic<UInt64>(0)
  private let hitCount = Atomic<UInt64>(0)
  private let missCount = Atomic<UInt64>(0)
  /// The bound that was asked for.
  package let byteCountMax: Int

  /// A cache of at most `byteCountMax` bytes; 0 keeps nothing.
  package init(byteCountMax: Int) {
    self.byteCountMax = byteCountMax
    shards = (0..<Self.shardCount).map { _ in Shard(byteCountMax: byteCountMax / Self.shardCount) }
  }

  /// Look-ups that found their block.
  package var hits: UInt64 { hitCount.load(ordering: .relaxed) }
  /// Look-ups that did not.
  package var misses: UInt64 { missCount.load(ordering: .relaxed) }
  /// Bytes held now.
  package var byteCount: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.byteCount } } }
  /// Blocks held now.
  package var blockCount: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.count } } }

  /// A number for the blocks of one open table.
  func makeIdentifier() -> UInt64 { lastIdentifier.add(1, ordering: .relaxed).newValue }

  /// The block of a table at an offset, if it is held; it is then the most recently used.
  func block(table: UInt64, offset: UInt64) -> CachedBlock? {
    let key = BlockKey(table: table, offset: offset)
    let found = shards[key.shard(of: Self.shardCount)].state.withLock { $0.find(key) }
    if found == nil { missCount.add(1, ordering: .relaxed) } else { hitCount.add(1, ordering: .relaxed) }
    return found
  }

  /// What was made of a block of a table, if it is held. Not counted: the block itself was not asked for.
  func parsed(table: UInt64, offset: UInt64, _ kind: ParsedBlock.Kind) -> ParsedBlock? {
    let key = BlockKey(table: table, offset: kind.key(offset))
    return shards[key.shard(of: Self.shardCount)].state.withLock { $0.find(key) }?.parsed
  }

  /// Keeps a block, and lets others go for it. One that is larger than a shard is not kept.
  func insert(_ block: CachedBlock, table: UInt64, offset: UInt64, priority: Priority) {
    let key = BlockKey(table: table, offset: offset)
    shards[key.shard(of: Self.shardCount)].state.withLock { $0.insert(key, block, isHigh: priority == .high) }
  }

  /// One lock and what it guards.
  private final class Shard: Sendable {
    let state: Lock<BlockCacheShard>

    init(byteCountMax: Int) { state = Lock(BlockCacheShard(byteCountMax: byteCountMax)) }
  }
}

/// Names a block: the cache's number of its table, and its offset.
struct BlockKey: Hashable {
  var table: UInt64
  var offset: UInt64

  func shard(of count: Int) -> Int {
    let mixed = (table &* 0x9e37_79b9_7f4a_7c15 ^ offset) &* 0xff51_afd7_ed55_8ccd
    return Int((mixed >> 32) % UInt64(count))
  }
}

/// Two lists, high and low, each from most to least recently used, as links between slots of one array.
struct BlockCacheShard {
  private struct Slot {
    var key: BlockKey
    var block: CachedBlock?
    var byteCount = 0
    var isHigh = false
    var previous = -1
    var next = -1
  }

  private struct List {
    var first = -1
    var last = -1
    var byteCount = 0
  }

  private let byteCountMax: Int
  private var slots: [Slot] = []
  private var free: [Int] = []
  private var places: [BlockKey: Int] = [:]
  private var high = List()
  private var low = List()

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  var byteCount: Int { high.byteCount + low.byteCount }
  var count: Int { places.count }

  mutating func find(_ key: BlockKey) -> CachedBlock? {
    guard let place = places[key] else { return nil }
    if place != high.first, place != low.first {
      unlink(place)
      link(place)
    }
    return slots[place].block
  }

  mutating func insert(_ key: BlockKey, _ block: CachedBlock, isHigh: Bool) {
    let needed = block.byteCount + BlockCache.entryByteCount
    guard needed <= byteCountMax, places[key] == nil else { return }
    while byteCount + needed > byteCountMax { evict(low.last >= 0 ? low.last : high.last) }
    let slot = Slot(key: key, block: block, byteCount: needed, isHigh: isHigh)
    let place: Int
    if let reused = free.popLast() {
      place = reused
      slots[place] = slot
    } else {
      place = slots.count
      slots.append(slot)
    }
    places[key] = place
    link(place)
    while high.byteCount > byteCountMax / 2 {
      let oldest = high.last
      unlink(oldest)
      slots[oldest].isHigh = false
      link(oldest)
    }
  }

  private mutating func evict(_ place: Int) {
    unlink(place)
    places[slots[place].key] = nil
    slots[place].block = nil
    free.append(place)
  }

  /// Puts a slot at the front of its list.
  private mutating func link(_ place: Int) {
    var list = slots[place].isHigh ? high : low
    slots[place].previous = -1
    slots[place].next = list.first
    if list.first >= 0 { slots[list.first].previous = place } else { list.last = place }
    list.first = place
    list.byteCount += slots[place].byteCount
    if slots[place].isHigh { high = list } else { low = list }
  }

  private mutating func unlink(_ place: Int) {
    // The block is not copied: that would count its holders.
    let (isHigh, previous, next) = (slots[place].isHigh, slots[place].previous, slots[place].next)
    var list = isHigh ? high : low
    if previous >= 0 { slots[previous].next = next } else { list.first = next }
    if next >= 0 { slots[next].previous = previous } else { list.last = previous }
    list.byteCount -= slots[place].byteCount
    if isHigh { high = list } else { low = list }
  }
}
