import LineProtocol
import Synchronization

/// A series of one keyspace that an unflushed part or an inserter knows: one object a series, so that
/// comparing series in the write path is comparing addresses, and their keys lie in memory once.
final class LiveSeries: Sendable {
  let key: SeriesKey
  /// The place in canonical order when a part's series were last sorted: a hint that makes the next sort
  /// nearly free.
  let rank = Atomic<UInt32>(0)

  init(key: SeriesKey) { self.key = key }
}

/// The live series of one keyspace by canonical key; shared by receivers, asked only for spellings not seen
/// before.
///
/// An entry is let go when only the table holds it: no part has rows of it, and every inserter has let go of
/// it, which it does when two generations (seals) have passed without a row.
package final class LiveSeriesTable: Sendable {
  private static let shardCount = 32

  private struct State {
    /// Open addressing, linear probing; a power of two in length, at most half full.
    var entries: [LiveSeries?] = Array(repeating: nil, count: 64)
    var count = 0
    var keyByteCount = 0
  }
  private final class Shard: Sendable {
    let state = Lock(State())
  }
  private let census: LiveCensus
  private let shards = (0..<LiveSeriesTable.shardCount).map { _ in Shard() }
  private let generationNumber = Atomic<UInt64>(0)
  private let floorNumber = Atomic<UInt64>(0)

  /// - Parameter census: of the database, where series are counted as they come and go.
  package init(census: LiveCensus = LiveCensus(database: "", limits: .none)) { self.census = census }

  deinit { abandon() }

  /// Series held.
  package var count: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.count } } }

  /// Bytes of keys and of the table, roughly: what the series cost beside their parts.
  package var byteCount: Int {
    shards.reduce(0) { sum, shard in
      sum + shard.state.withLock { $0.keyByteCount + $0.count * 96 + $0.entries.count * 8 }
    }
  }

  /// Counts the seals in this keyspace.
  var generation: UInt64 { generationNumber.load(ordering: .acquiring) }
  /// Inserters let go of series whose last part has a number below it.
  var partNumberFloor: UInt64 { floorNumber.load(ordering: .acquiring) }

  /// The one entry of a series, made if need be whatever the limits are. Costs a hash of the key and a lock.
  func intern(_ key: SeriesKey) -> LiveSeries {
    let hash = Self.hash(key)
    return shards[hash & (Self.shardCount - 1)].state.withLock { state in
      let place = Self.place(of: key, hash: hash, in: state)
      if let found = state.entries[place] { return found }
      census.add(key)
      return Self.insert(key, at: place, in: &state)
    }
  }

  /// The one entry of a series, made if the database has room for one more.
  func admit(_ key: SeriesKey) throws(SeriesRefusal) -> LiveSeries {
    let hash = Self.hash(key)
    return try shards[hash & (Self.shardCount - 1)].state.withLock { (state) throws(SeriesRefusal) in
      let place = Self.place(of: key, hash: hash, in: state)
      if let found = state.entries[place] { return found }
      try census.admit(key)
      return Self.insert(key, at: place, in: &state)
    }
  }

  /// Rises when the database may have room for series that were refused.
  var releases: UInt64 { census.releases }
  /// Whether no series is ever refused.
  var isUnlimited: Bool { census.isUnlimited }

  private static func insert(_ key: SeriesKey, at place: Int, in state: inout State) -> LiveSeries {
    let series = LiveSeries(key: key)
    state.entries[place] = series
    state.count += 1
    state.keyByteCount += key.bytes.count
    if state.count * 2 > state.entries.count { rebuild(&state) }
    return series
  }

  /// Lets go of every entry; for a drop.
  func abandon() {
    for shard in shards {
      let keys = shard.state.withLock { state in
        let keys = state.entries.compactMap { $0?.key }
        state = State()
        return keys
      }
      census.remove(keys)
    }
  }

  /// Ends a generation: lets go of what nobody else holds. Walks all entries, a shard at a time.
  func endGeneration(partNumberFloor: UInt64) {
    floorNumber.store(partNumberFloor, ordering: .releasing)
    generationNumber.add(1, ordering: .acquiringAndReleasing)
    for shard in shards {
      let freed = shard.state.withLock { state in
        var freed: [SeriesKey] = []
        for index in state.entries.indices where isKnownUniquelyReferenced(&state.entries[index]) {
          if let key = state.entries[index]?.key { freed.append(key) }
          state.entries[index] = nil
        }
        // Holes would cut probe chains: what is left is placed anew.
        if !freed.isEmpty { Self.rebuild(&state) }
        return freed
      }
      census.remove(freed)
    }
  }

  // Hasher's key is random in each process: these bytes come from strangers.
  private static func hash(_ key: SeriesKey) -> Int {
    var hasher = Hasher()
    unsafe key.bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  private static func place(of key: SeriesKey, hash: Int, in state: borrowing State) -> Int {
    let mask = state.entries.count - 1
    var place = (hash >> 8) & mask
    while let found = state.entries[place], found.key != key { place = (place + 1) & mask }
    return place
  }

  private static func rebuild(_ state: inout State) {
    let kept = state.entries.compactMap { $0 }
    var capacity = 64
    while capacity < kept.count * 3 { capacity *= 2 }
    state.entries = Array(repeating: nil, count: capacity)
    state.count = kept.count
    state.keyByteCount = 0
    for series in kept {
      let place = place(of: series.key, hash: hash(series.key), in: state)
      state.entries[place] = series
      state.keyByteCount += series.key.bytes.count
    }
  }
}
