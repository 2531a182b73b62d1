import Glibc
package import LineProtocol
import Synchronization

/// The live series of one keyspace by canonical key; shared by receivers, asked only for spellings not seen
/// before.
///
/// An entry is let go when only the table holds it: no part has rows of it, and every inserter has let go of
/// it, which it does when two generations (seals) have passed without a row.
package final class LiveSeriesTable: Sendable {
  private static let shardCount = 32

  private struct State {
    /// Addresses of the series; each is held by the table.
    var series = TaggedTable<UInt>()
    var byteCount = 0
    /// By what keys have in common: the last series that was kept whole, by whose key the next ones are told; held. Not in the table.
    var bases: [UInt64: LiveSeries] = [:]

    mutating func releaseBases() {
      for base in bases.values { base.release() }
      bases.removeAll()
    }
  }
  /// Bases of a shard at a time, and the bytes of a key up to which it may be one.
  private static let (baseCountMax, baseKeyByteCountMax) = (16, 512)
  private final class Shard: Sendable {
    let state = Lock(State())
  }
  private let census: LiveCensus
  /// Its key is random: these bytes come from strangers.
  private let keyed = KeyedHash()
  private let shards = (0..<LiveSeriesTable.shardCount).map { _ in Shard() }
  private let generationNumber = Atomic<UInt64>(0)
  private let floorNumber = Atomic<UInt64>(0)

  /// - Parameter census: of the database, where series are counted as they come and go.
  package init(census: LiveCensus = LiveCensus(database: "", limits: .none)) { self.census = census }

  deinit { abandon() }

  /// Series held.
  package var count: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.series.count } } }

  /// Bytes of series and of the table: what the series cost beside their parts.
  package var byteCount: Int {
    shards.reduce(0) { sum, shard in sum + shard.state.withLock { $0.byteCount + $0.series.byteCount } }
  }

  /// Counts the seals in this keyspace.
  var generation: UInt64 { generationNumber.load(ordering: .acquiring) }
  /// Inserters let go of series whose last part has a number below it.
  var partNumberFloor: UInt64 { floorNumber.load(ordering: .acquiring) }

  /// The one entry of a series, made if need be whatever the limits are; the caller holds it. Costs a hash of the key and a lock.
  ///
  /// - Parameter key: in flat form (`SeriesKey.bytes`).
  func intern(_ key: UnsafeBufferPointer<UInt8>) -> LiveSeries {
    let hash = unsafe keyed.hash(key)
    return shards[Self.shard(hash)].state.withLock { state in
      if let found = unsafe Self.find(key, hash: hash, in: state) { return found }
      unsafe census.add(key)
      return unsafe insert(key, hash: hash, in: &state)
    }
  }

  /// The one entry of a series, made if the database has room for one more; the caller holds it.
  ///
  /// - Parameter key: in flat form.
  func admit(_ key: UnsafeBufferPointer<UInt8>) -> Result<LiveSeries, SeriesRefusal> {
    let hash = unsafe keyed.hash(key)
    return shards[Self.shard(hash)].state.withLock { state in
      if let found = unsafe Self.find(key, hash: hash, in: state) { return .success(found) }
      if let refusal = unsafe census.admit(key) { return .failure(refusal) }
      return unsafe .success(insert(key, hash: hash, in: &state))
    }
  }

  /// The same of a key as a value of its own.
  package func admit(_ key: SeriesKey) throws(SeriesRefusal) -> LiveSeries {
    try unsafe key.bytes.withUnsafeBufferPointer { unsafe admit($0) }.get()
  }

  /// Rises when the database may have room for series that were refused.
  var releases: UInt64 { census.releases }
  /// Whether no series is ever refused.
  var isUnlimited: Bool { census.isUnlimited }

  private static func find(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64, in state: borrowing State) -> LiveSeries? {
    let slot = state.series.find(UInt32(truncatingIfNeeded: hash)) { address in
      unsafe LiveSeries(address: address)?.isEqual(to: key) ?? false
    }
    let found = slot.flatMap { LiveSeries(address: state.series[$0]) }
    // Under the lock, so that it is not let go of meanwhile.
    found?.retain()
    return found
  }

  private func insert(_ key: UnsafeBufferPointer<UInt8>, hash: UInt64, in state: inout State) -> LiveSeries {
    let series = unsafe make(key, hash: UInt32(truncatingIfNeeded: hash), in: &state)
    census.count(byteCount: Self.countedByteCount(series))
    state.series.insert(series.address, hash: series.hash, hashOf: Self.hash(ofAddress:))
    state.byteCount += series.byteCount
    series.retain()
    return series
  }

  /// A series, its key told by that of one like it where that is short.
  private func make(_ key: UnsafeBufferPointer<UInt8>, hash: UInt32, in state: inout State) -> LiveSeries {
    if key.count > Self.baseKeyByteCountMax { return unsafe LiveSeries.make(key, hash: hash) }
    let sharedByteCount = unsafe KeyOrder.byteCountBeforeTags(of: key)
    let kind = unsafe keyed.hash(UnsafeBufferPointer(rebasing: key[..<sharedByteCount]))
    if let base = state.bases[kind],
      let series = unsafe LiveSeries.make(key, hash: hash, base: base, sharedByteCount: sharedByteCount)
    {
      return series
    }
    if state.bases.count >= Self.baseCountMax { state.releaseBases() }
    unsafe state.bases.updateValue(LiveSeries.make(key, hash: hash), forKey: kind)?.release()
    return unsafe LiveSeries.make(key, hash: hash)
  }

  /// What the census is told: a key that is kept whole may lie here once more, for those that are told by it.
  private static func countedByteCount(_ series: LiveSeries) -> Int {
    series.isWhole && series.keyByteCount <= baseKeyByteCountMax ? 2 * series.byteCount : series.byteCount
  }

  /// Lets go of every entry; for a drop.
  func abandon() {
    for shard in shards {
      let series = shard.state.withLock { state in
        var series: [LiveSeries] = []
        state.series.forEach { address in LiveSeries(address: address).map { series.append($0) } }
        state.releaseBases()
        state = State()
        return series
      }
      letGo(series)
    }
  }

  /// Ends a generation: lets go of what nobody else holds. Walks all entries, a shard at a time.
  package func endGeneration(partNumberFloor: UInt64) {
    floorNumber.store(partNumberFloor, ordering: .releasing)
    generationNumber.add(1, ordering: .acquiringAndReleasing)
    for shard in shards {
      let freed = shard.state.withLock { state in
        var (kept, freed): ([LiveSeries], [LiveSeries]) = ([], [])
        kept.reserveCapacity(state.series.count)
        state.series.forEach { address in
          guard let series = LiveSeries(address: address) else { return }
          if series.hasOneHolder { freed.append(series) } else { kept.append(series) }
        }
        if freed.isEmpty { return freed }
        // What comes next may be unlike them, and nothing is to stay of series that are gone.
        state.releaseBases()
        state = State(series: TaggedTable(countMax: kept.count))
        for series in kept {
          state.byteCount += series.byteCount
          state.series.insert(series.address, hash: series.hash, hashOf: Self.hash(ofAddress:))
        }
        return freed
      }
      letGo(freed)
    }
  }

  /// Releases series that are in the table no more.
  private func letGo(_ series: [LiveSeries]) {
    if !census.isUnlimited { census.remove(series.lazy.map { (key: $0.key, byteCount: Self.countedByteCount($0)) }) }
    for series in series { series.release() }
  }

  private static func shard(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32) & (shardCount - 1) }

  private static func hash(ofAddress address: UInt) -> UInt32 { LiveSeries(address: address)?.hash ?? 0 }
}
