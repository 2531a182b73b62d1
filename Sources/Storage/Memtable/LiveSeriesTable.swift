import Glibc
import LineProtocol
import Synchronization

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
      sum + shard.state.withLock { $0.keyByteCount + $0.count * 40 + $0.entries.count * 8 }
    }
  }

  /// Counts the seals in this keyspace.
  var generation: UInt64 { generationNumber.load(ordering: .acquiring) }
  /// Inserters let go of series whose last part has a number below it.
  var partNumberFloor: UInt64 { floorNumber.load(ordering: .acquiring) }

  /// The one entry of a series, made if need be whatever the limits are. Costs a hash of the key and a lock.
  func intern(_ key: SeriesKey) -> SharedSeries {
    let hash = Self.hash(key)
    return shards[hash & (Self.shardCount - 1)].state.withLock { state in
      let place = Self.place(of: key, hash: hash, in: state)
      if let found = state.entries[place] { return SharedSeries(series: found) }
      census.add(key)
      return Self.insert(key, at: place, in: &state)
    }
  }

  /// The one entry of a series, made if the database has room for one more.
  func admit(_ key: SeriesKey) throws(SeriesRefusal) -> SharedSeries {
    let hash = Self.hash(key)
    return try shards[hash & (Self.shardCount - 1)].state.withLock { (state) throws(SeriesRefusal) in
      let place = Self.place(of: key, hash: hash, in: state)
      if let found = state.entries[place] { return SharedSeries(series: found) }
      try census.admit(key)
      return Self.insert(key, at: place, in: &state)
    }
  }

  /// Rises when the database may have room for series that were refused.
  var releases: UInt64 { census.releases }
  /// Whether no series is ever refused.
  var isUnlimited: Bool { census.isUnlimited }

  private static func insert(_ key: SeriesKey, at place: Int, in state: inout State) -> SharedSeries {
    let series = LiveSeries.make(key)
    state.entries[place] = series
    state.count += 1
    state.keyByteCount += key.bytes.count
    if state.count * 2 > state.entries.count { rebuild(&state) }
    return SharedSeries(series: series)
  }

  /// Lets go of every entry; for a drop.
  func abandon() {
    for shard in shards {
      let keys = shard.state.withLock { state in
        let keys = census.isUnlimited ? [] : state.entries.compactMap { $0?.key }
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
        var hasFreed = false
        for index in state.entries.indices where isKnownUniquelyReferenced(&state.entries[index]) {
          if !census.isUnlimited, let key = state.entries[index]?.key { freed.append(key) }
          state.entries[index] = nil
          hasFreed = true
        }
        // Holes would cut probe chains: what is left is placed anew.
        if hasFreed { Self.rebuild(&state) }
        return freed
      }
      census.remove(freed)
    }
  }

  // Hasher's key is random in each process: these bytes come from strangers.
  private static func hash(_ key: SeriesKey) -> Int {
    unsafe key.bytes.withUnsafeBufferPointer { unsafe hash($0) }
  }

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var hasher = Hasher()
    unsafe hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    return hasher.finalize()
  }

  private static func place(of key: SeriesKey, hash: Int, in state: borrowing State) -> Int {
    let mask = state.entries.count - 1
    var place = (hash >> 8) & mask
    unsafe key.bytes.withUnsafeBufferPointer { bytes in
      while let found = state.entries[place], unsafe !isEqual(found.bytes, bytes) {
        place = (place + 1) & mask
      }
    }
    return place
  }

  private static func isEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count, let x = a.baseAddress, let y = b.baseAddress else { return a.count == b.count }
    return unsafe memcmp(x, y, a.count) == 0
  }

  private static func rebuild(_ state: inout State) {
    let kept = state.entries.compactMap { $0 }
    var capacity = 64
    while capacity < kept.count * 3 { capacity *= 2 }
    state.entries = Array(repeating: nil, count: capacity)
    state.count = kept.count
    state.keyByteCount = 0
    let mask = capacity - 1
    for series in kept {
      // All differ: the next free place is its own.
      var place = unsafe (hash(series.bytes) >> 8) & mask
      while state.entries[place] != nil { place = (place + 1) & mask }
      state.entries[place] = series
      state.keyByteCount += unsafe series.bytes.count
    }
  }
}
