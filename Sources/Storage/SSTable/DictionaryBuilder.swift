import LineProtocol

/// The distinct values of one tag key in order of first appearance, in one arena, found by an open table.
struct ValueInterner {
  private(set) var bytes: [UInt8] = []
  private(set) var ends: [Int] = []
  private var hashes: [UInt64] = []
  /// Index plus one, 0 for empty; a power of two, at most half full.
  private var slots = [UInt32](repeating: 0, count: 16)

  var count: Int { ends.count }

  func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  /// The index of a value; `isNew` says that it was not there.
  mutating func intern(_ source: [UInt8], _ range: Range<Int>) -> (index: Int, isNew: Bool) {
    let hash = BloomFilter.hash(source, range, .tag)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let index = Int(slots[slot]) - 1
      if hashes[index] == hash, equalBytes(bytes, self.range(index), source, range) { return (index, false) }
      slot = (slot + 1) & (slots.count - 1)
    }
    bytes.append(contentsOf: source[range])
    ends.append(bytes.count)
    hashes.append(hash)
    slots[slot] = UInt32(count)
    if count * 2 > slots.count { grow() }
    return (count - 1, true)
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    for (index, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(index + 1)
    }
  }

  /// The indexes sorted by the values' bytes.
  func sortedIndexes() -> [Int] {
    (0..<count).sorted { compareBytes(bytes, range($0), bytes, range($1)) < 0 }
  }
}

/// Gathers the series of one measurement: for each its tag values by number, its rows and its times.
///
/// Memory: the distinct values once, and 4 bytes a tag key and 28 a series.
struct DictionaryBuilder {
  /// One tag key of the measurement.
  struct TagKey {
    let name: [UInt8]
    var values = ValueInterner()
    /// For each series up to the last that has the key: 0 for absent, else the value's number of appearance plus one.
    var codes: [UInt32] = []

    fileprivate mutating func append(_ code: UInt32, series: Int) {
      while codes.count < series { codes.append(0) }
      codes.append(code)
    }
  }

  /// Where a series' rows lie and when.
  struct Series {
    var rowStart = 0
    var rowCount = 0
    var firstTimestamp: Int64 = 0
    var lastTimestamp: Int64 = 0
  }

  let measurement: [UInt8]
  private(set) var tagKeys: [TagKey] = []
  private(set) var series: [Series] = []
  /// The tag key that stood at this place in the last series, and the code of its value.
  private var predicted: [Int] = []
  private var lastCodes: [UInt32] = []

  init(measurement: [UInt8]) { self.measurement = measurement }

  /// Adds the next series; `last` is the one before it, of which nothing is taken where there is none. `seen` is called with the
  /// range of each tag whose value is new here.
  mutating func append(
    _ key: ParsedSeriesKey, after last: ParsedSeriesKey, newTag seen: (ParsedSeriesKey.Tag) -> Void
  ) {
    // Neighbours begin with the same tags.
    let sharedCount = series.isEmpty ? 0 : key.sharedTagCount(last)
    for place in 0..<sharedCount { tagKeys[predicted[place]].append(lastCodes[place], series: series.count) }
    for place in sharedCount..<key.tags.count {
      let tag = key.tags[place]
      let index = tagKey(key.bytes, tag.key, at: place)
      let found = tagKeys[index].values.intern(key.bytes, tag.value)
      let code = UInt32(found.index + 1)
      tagKeys[index].append(code, series: series.count)
      if place < lastCodes.count { lastCodes[place] = code } else { lastCodes.append(code) }
      if found.isNew { seen(tag) }
    }
    series.append(Series())
  }

  mutating func setRows(of ordinal: Int, start: Int) { series[ordinal].rowStart = start }

  mutating func setExtent(of ordinal: Int, rowCount: Int, first: Int64, last: Int64) {
    series[ordinal].rowCount = rowCount
    series[ordinal].firstTimestamp = first
    series[ordinal].lastTimestamp = last
  }

  private mutating func tagKey(_ bytes: [UInt8], _ range: Range<Int>, at place: Int) -> Int {
    func isKey(_ index: Int) -> Bool {
      equalBytes(tagKeys[index].name, 0..<tagKeys[index].name.count, bytes, range)
    }
    while predicted.count <= place { predicted.append(-1) }
    if predicted[place] >= 0, isKey(predicted[place]) { return predicted[place] }
    let found = tagKeys.indices.first(where: isKey) ?? tagKeys.count
    if found == tagKeys.count { tagKeys.append(TagKey(name: Array(bytes[range]))) }
    predicted[place] = found
    return found
  }
}

extension DictionaryBuilder.TagKey {
  /// The values' order, and each series' code in that order (0 absent, else place plus one).
  func sortedCodes(seriesCount: Int) -> (order: [Int], codes: [UInt64]) {
    let order = values.sortedIndexes()
    var places = [UInt64](repeating: 0, count: order.count + 1)
    for (place, index) in order.enumerated() { places[index + 1] = UInt64(place + 1) }
    var codes = [UInt64](repeating: 0, count: seriesCount)
    for (ordinal, code) in self.codes.enumerated() { codes[ordinal] = places[Int(code)] }
    return (order, codes)
  }
}
