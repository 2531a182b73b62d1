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

  /// Takes a new series in, if there is room for it and its tag values; why not otherwise.
  ///
  /// - Parameter key: in flat form.
  func admit(_ key: UnsafeBufferPointer<UInt8>) -> SeriesRefusal? {
    if isUnlimited { return nil }
    let refusal: SeriesRefusal? = unsafe Self.withHashes(of: key) { tags in
      state.withLock { state in
        if !memory.hasRoom { return memoryRefusal() }
        if limits.seriesCountMax > 0, state.seriesCount >= limits.seriesCountMax {
          return unsafe seriesRefusal(SeriesKey(wellFormed: Array(key)), tags, state)
        }
        if limits.tagValueCountMax > 0 {
          for place in tags.indices where unsafe !hasRoom(for: tags[place], state) {
            return unsafe tagRefusal(SeriesKey(wellFormed: Array(key)), place)
          }
        }
        unsafe Self.add(tags, to: &state)
        return nil
      }
    }
    if refusal != nil { memory.countRefusal() }
    return refusal
  }

  /// The same of a key as a value of its own.
  package func admit(_ key: SeriesKey) throws(SeriesRefusal) {
    if let refusal = unsafe key.bytes.withUnsafeBufferPointer({ unsafe admit($0) }) { throw refusal }
  }

  private func hasRoom(for tag: TagHash, _ state: borrowing State) -> Bool {
    state.values.contains(tag.value) || state.keys[tag.key] ?? 0 < limits.tagValueCountMax
  }

  /// Takes a series in whatever the limits are: one that the log holds already. The key is in flat form.
  func add(_ key: UnsafeBufferPointer<UInt8>) {
    if isUnlimited { return }
    unsafe Self.withHashes(of: key) { tags in
      state.withLock { unsafe Self.add(tags, to: &$0) }
    }
  }

  /// The same of a key as a value of its own.
  package func add(_ key: SeriesKey) {
    unsafe key.bytes.withUnsafeBufferPointer { unsafe add($0) }
  }

  /// Takes note of what a series that was taken in takes: known once it is made.
  package func count(byteCount: Int) {
    if !isUnlimited { memory.add(byteCount) }
  }

  /// Takes series out, with what they took.
  package func remove(_ series: some Collection<(key: SeriesKey, byteCount: Int)>) {
    if isUnlimited || series.isEmpty { return }
    for (key, byteCount) in series {
      unsafe key.bytes.withUnsafeBufferPointer { key in
        unsafe Self.withHashes(of: key) { tags in
          state.withLock { unsafe Self.remove(tags, from: &$0) }
        }
      }
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

  /// What a tag's key and value are known by.
  private typealias TagHash = (key: UInt64, value: UInt64)

  /// Hashes each tag of a key in flat form, before any lock is taken.
  private static func withHashes<R>(
    of key: UnsafeBufferPointer<UInt8>, _ body: (UnsafeBufferPointer<TagHash>) -> R
  ) -> R {
    let keyed = keyed
    var cursor = unsafe KeyOrder.TagCursor(key)
    let base = unsafe keyed.hash(KeyOrder.measurementBytes(of: key))
    return unsafe withUnsafeTemporaryAllocation(of: TagHash.self, capacity: cursor.left) { hashes in
      var count = 0
      while let tag = unsafe cursor.next() {
        let hash = unsafe keyed.hash(tag.name, after: base)
        unsafe hashes.initializeElement(at: count, to: (hash, keyed.hash(tag.value, after: hash)))
        count += 1
      }
      return unsafe body(UnsafeBufferPointer(hashes))
    }
  }

  private static func add(_ tags: UnsafeBufferPointer<TagHash>, to state: inout State) {
    state.seriesCount += 1
    for place in tags.indices {
      let tag = unsafe tags[place]
      if state.values.add(tag.value) { state.keys[tag.key, default: 0] += 1 }
    }
  }

  private static func remove(_ tags: UnsafeBufferPointer<TagHash>, from state: inout State) {
    state.seriesCount -= 1
    for place in tags.indices {
      let tag = unsafe tags[place]
      guard state.values.remove(tag.value), let values = state.keys[tag.key] else { continue }
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
    _ key: SeriesKey, _ tags: UnsafeBufferPointer<TagHash>, _ state: borrowing State
  ) -> SeriesRefusal {
    var message = "\(shownDatabase) has \(limits.seriesCountMax) series, the limit"
    var most: (place: Int, count: Int) = (-1, 0)
    for place in tags.indices {
      let count = unsafe state.keys[tags[place].key] ?? 0
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
