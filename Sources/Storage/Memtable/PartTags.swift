import Glibc
import LineProtocol

/// The tag keys and values of a part's measurements, each series looked at once: in the order in which they came, so that nobody who
/// asks for names waits for series to be sorted.
///
/// Memory: a copy of each distinct value and some 16 bytes, of at most `valueCountMax` a key; of a key with more the values are not
/// kept.
@safe struct PartTags {
  /// Values of a key that are kept; one that has more costs its readers a look at each series.
  static let valueCountMax = 10_000
  /// Series that may be left for who asks next.
  static let lagCountMax = 1_024

  private var seenCount = 0
  private var places: [[UInt8]: Int] = [:]
  private var measurements: [[KeyValues]] = []
  /// The measurement of the last series: neighbours nearly always share it.
  private var last: (name: [UInt8], place: Int) = ([], -1)

  /// Looks at the series that have come since.
  mutating func catchUp(with series: PartSeriesList) {
    while seenCount < series.count {
      unsafe series[seenCount].pointee.live.withBytes { unsafe add($0) }
      seenCount += 1
    }
  }

  /// Sorted by bytes.
  func keys(of measurement: [UInt8]) -> [[UInt8]] {
    guard let place = places[measurement] else { return [] }
    return measurements[place].map(\.key).sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The values of a tag key; `nil` where they are too many to be kept.
  mutating func values(of measurement: [UInt8], key: [UInt8]) -> TagValueList? {
    guard let place = places[measurement], let tag = measurements[place].firstIndex(where: { $0.key == key }) else {
      return TagValueList()
    }
    return measurements[place][tag].list()
  }

  private mutating func add(_ key: UnsafeBufferPointer<UInt8>) {
    if unsafe last.place < 0 || KeyOrder.compareMeasurement(of: key, to: last.name) != 0 {
      let name = unsafe KeyOrder.measurement(of: key)
      let place = places[name] ?? measurements.count
      if place == measurements.count {
        measurements.append([])
        places[name] = place
      }
      last = (name, place)
    }
    let measurement = last.place
    var hint = 0
    unsafe KeyOrder.visitTags(of: key) { name, value in
      let tags = measurements[measurement].indices
      if unsafe hint >= tags.count || !name.elementsEqual(measurements[measurement][hint].key) {
        hint = tags.first { unsafe name.elementsEqual(measurements[measurement][$0].key) } ?? tags.count
        if hint == tags.count { unsafe measurements[measurement].append(KeyValues(key: Array(name))) }
      }
      unsafe measurements[measurement][hint].insert(value)
      hint += 1
      return true
    }
  }
}

/// The distinct values of one tag key, flat.
@safe private struct KeyValues {
  let key: [UInt8]
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var table = TaggedTable<UInt32>()
  private var last = -1
  private var isOver = false
  /// What was answered last, while no value has come since.
  private var sorted: TagValueList?

  init(key: [UInt8]) { self.key = key }

  private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  mutating func insert(_ value: UnsafeBufferPointer<UInt8>) {
    if isOver { return }
    if last >= 0, unsafe isEqual(last, value) { return }
    let hash = unsafe Self.hash(value)
    if let slot = table.find(hash, where: { unsafe isEqual(Int($0), value) }) {
      last = Int(table[slot])
      return
    }
    guard ends.count < PartTags.valueCountMax else {
      isOver = true
      (bytes, ends, table, sorted) = ([], [], TaggedTable(), nil)
      return
    }
    unsafe bytes.append(contentsOf: value)
    ends.append(bytes.count)
    last = ends.count - 1
    sorted = nil
    let (bytes, ends) = (bytes, ends)
    table.insert(UInt32(last), hash: hash) { index in
      let end = ends[Int(index)]
      return unsafe bytes[(index == 0 ? 0 : ends[Int(index) - 1])..<end].withUnsafeBufferPointer { unsafe Self.hash($0) }
    }
  }

  private func isEqual(_ index: Int, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    let range = range(index)
    guard range.count == value.count, !range.isEmpty, let start = value.baseAddress else { return range.count == value.count }
    // The range lies within `bytes`.
    return unsafe bytes.withUnsafeBufferPointer { unsafe memcmp($0.baseAddress.unsafelyUnwrapped + range.lowerBound, start, range.count) == 0 }
  }

  /// Its key is random: these bytes come from strangers.
  private static let keyed = KeyedHash()

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: unsafe keyed.hash(bytes))
  }

  mutating func list() -> TagValueList? {
    if isOver { return nil }
    if let sorted { return sorted }
    let list = TagValueList(sorting: ends.indices.map { Array(bytes[range($0)]) })
    sorted = list
    return list
  }
}
