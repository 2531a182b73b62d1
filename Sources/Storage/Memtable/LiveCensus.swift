package import LineProtocol
import Synchronization

/// Counts the live series of a database and the values of each of its tag keys, and says where a new one would be too many.
///
/// Asked where a series is made and let go, never for a point of one that is there. Memory: some 12 bytes a distinct tag value;
/// none where no limit is set. Values are known by 56 bits of a hash whose key is the process's own.
package final class LiveCensus: Sendable {
  package let database: String
  package let limits: CardinalityLimits

  private struct State {
    var seriesCount = 0
    /// Live series by hash of (measurement, tag key, tag value).
    var values = HashCounts()
    /// Distinct values by hash of (measurement, tag key).
    var keys: [UInt64: Int] = [:]
  }
  private let state = Lock(State())
  private let releaseCount = Atomic<UInt64>(0)
  private let refused = Lock<[SeriesRefusal.Limit: UInt64]>([:])

  private let memory: SeriesMemory

  package init(database: String, limits: CardinalityLimits, memory: SeriesMemory = SeriesMemory()) {
    self.database = database
    self.limits = limits
    self.memory = memory
  }

  /// Whether there is nothing to count for.
  package var isUnlimited: Bool { limits.seriesCountMax == 0 && limits.tagValueCountMax == 0 }

  /// Rises when series are let go: who was refused may ask again.
  package var releases: UInt64 { releaseCount.load(ordering: .acquiring) }

  /// Takes a new series in, if there is room for it and its tag values.
  package func admit(_ key: SeriesKey) throws(SeriesRefusal) {
    if isUnlimited { return }
    let tags = Self.hashes(of: key)
    let refusal: SeriesRefusal? = state.withLock { state in
      if !memory.hasRoom { return memoryRefusal() }
      if limits.seriesCountMax > 0, state.seriesCount >= limits.seriesCountMax {
        return seriesRefusal(key, tags, state)
      }
      if limits.tagValueCountMax > 0 {
        for (place, tag) in tags.enumerated()
        where !state.values.contains(tag.value) && state.keys[tag.key] ?? 0 >= limits.tagValueCountMax {
          return tagRefusal(key, place)
        }
      }
      Self.add(tags, to: &state)
      return nil
    }
    if let refusal { throw refusal }
  }

  /// Takes a series in whatever the limits are: one that the log holds already.
  package func add(_ key: SeriesKey) {
    if isUnlimited { return }
    let tags = Self.hashes(of: key)
    state.withLock { Self.add(tags, to: &$0) }
  }

  /// Takes note of what a series that was taken in takes: known once it is made.
  package func count(byteCount: Int) {
    if !isUnlimited { memory.add(byteCount) }
  }

  /// Takes series out, with what they took.
  package func remove(_ series: some Collection<(key: SeriesKey, byteCount: Int)>) {
    if isUnlimited || series.isEmpty { return }
    for (key, byteCount) in series {
      let tags = Self.hashes(of: key)
      state.withLock { Self.remove(tags, from: &$0) }
      memory.remove(byteCount)
    }
    releaseCount.add(1, ordering: .acquiringAndReleasing)
  }

  /// Counts rows that were refused.
  package func countRefused(_ limit: SeriesRefusal.Limit) { refused.withLock { $0[limit, default: 0] += 1 } }

  /// Rows refused since start.
  package func refusedCount(_ limit: SeriesRefusal.Limit) -> UInt64 { refused.withLock { $0[limit] ?? 0 } }

  /// Bytes of memory that the counts of tag values take.
  package var byteCount: Int { state.withLock { $0.values.byteCount } }

  /// Live series counted, and the values of the tag key that has most; 0 where no limit is set.
  package var counts: (series: Int, tagValuesMax: Int) {
    state.withLock { ($0.seriesCount, $0.keys.values.max() ?? 0) }
  }

  // MARK: Counting

  /// Its key is random: these bytes come from strangers.
  private static let keyed = KeyedHash()

  private static func hashes(of key: SeriesKey) -> [(key: UInt64, value: UInt64)] {
    let keyed = keyed
    var hashes: [(key: UInt64, value: UInt64)] = []
    hashes.reserveCapacity(16)
    unsafe key.bytes.withUnsafeBufferPointer { bytes in
      let base = unsafe keyed.hash(KeyOrder.measurementBytes(of: bytes))
      unsafe KeyOrder.visitTags(of: bytes) { name, value in
        let hash = unsafe keyed.hash(name, after: base)
        unsafe hashes.append((hash, keyed.hash(value, after: hash)))
        return true
      }
    }
    return hashes
  }

  private static func add(_ tags: [(key: UInt64, value: UInt64)], to state: inout State) {
    state.seriesCount += 1
    for tag in tags where state.values.add(tag.value) == 1 { state.keys[tag.key, default: 0] += 1 }
  }

  private static func remove(_ tags: [(key: UInt64, value: UInt64)], from state: inout State) {
    state.seriesCount -= 1
    for tag in tags where state.values.contains(tag.value) {
      guard state.values.remove(tag.value) == 0, let values = state.keys[tag.key] else { continue }
      state.keys[tag.key] = values == 1 ? nil : values - 1
    }
  }

  // MARK: Words

  /// A name as messages show it: cut, since it may be long.
  private static func shown(_ name: ArraySlice<UInt8>) -> String {
    let limit = 64
    return "\"" + String(decoding: name.prefix(limit), as: UTF8.self) + (name.count > limit ? "…\"" : "\"")
  }

  private var shownDatabase: String { "database " + Self.shown(Array(database.utf8)[...]) }

  private func tagRefusal(_ key: SeriesKey, _ place: Int) -> SeriesRefusal {
    let (measurement, tags) = key.parts
    return SeriesRefusal(
      limit: .tagValues,
      message: "\(shownDatabase): tag key \(Self.shown(tags[place].key)) of \(Self.shown(measurement)) has "
        + "\(limits.tagValueCountMax) values, the limit")
  }

  private func memoryRefusal() -> SeriesRefusal {
    SeriesRefusal(
      limit: .series,
      message: "\(memory.seriesCount) series are live, as many as the memory has room for; raise --memory")
  }

  private func seriesRefusal(
    _ key: SeriesKey, _ tags: [(key: UInt64, value: UInt64)], _ state: borrowing State
  ) -> SeriesRefusal {
    var message = "\(shownDatabase) has \(limits.seriesCountMax) series, the limit"
    var most: (place: Int, count: Int) = (-1, 0)
    for (place, tag) in tags.enumerated() {
      let count = state.keys[tag.key] ?? 0
      if count > most.count { most = (place, count) }
    }
    if most.place >= 0 {
      let (measurement, names) = key.parts
      let key = Self.shown(names[most.place].key)
      message += "; tag key \(key) of \(Self.shown(measurement)) has \(most.count) values"
    }
    return SeriesRefusal(limit: .series, message: message)
  }
}
