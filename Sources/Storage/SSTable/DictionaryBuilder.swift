import LineProtocol

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
    /// What a filter's key of a value begins with.
    fileprivate let filterHead: [UInt8]
    fileprivate let shortName: ShortText
    /// Values that came before and their codes, each at a place of its own: most tags have few values, which are found here.
    private var recent = [(value: ShortText, code: UInt32)](repeating: (ShortText.none, 0), count: 1 << recentBitCount)
    private static let recentBitCount: UInt64 = 8

    fileprivate init(name: [UInt8], measurement: [UInt8]) {
      self.name = name
      var head: [UInt8] = []
      putText(measurement, to: &head)
      putText(name, to: &head)
      filterHead = head
      shortName = unsafe name.withUnsafeBufferPointer { unsafe ShortText($0) }
    }

    fileprivate func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
      unsafe name.count == self.name.count && name.elementsEqual(self.name)
    }

    fileprivate mutating func append(_ code: UInt32, series: Int) {
      while codes.count < series { codes.append(0) }
      codes.append(code)
    }

    /// The code of a value, and whether it was not there.
    fileprivate mutating func code(of value: UnsafeBufferPointer<UInt8>) -> (code: UInt32, isNew: Bool) {
      let short = unsafe ShortText(value)
      guard short.isWhole else {
        let found = unsafe values.intern(value)
        return (UInt32(found.index + 1), found.isNew)
      }
      let place = Int(truncatingIfNeeded: short.spread >> (64 - Self.recentBitCount))
      if recent[place].value == short { return (recent[place].code, false) }
      let found = unsafe values.intern(value)
      recent[place] = (short, UInt32(found.index + 1))
      return (UInt32(found.index + 1), found.isNew)
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
  /// The text of a filter's key.
  private var filterKey: [UInt8] = []

  init(measurement: [UInt8]) { self.measurement = measurement }

  /// Adds the next series, which begins with `sharedTagCount` tags of the one before it, 0 where there is none.
  ///
  /// - Parameter hashes: gets those of the filter's keys of tags whose value is new here.
  mutating func append(_ key: borrowing ParsedSeriesKey, sharedTagCount: Int, hashes: inout [UInt64]) {
    let ordinal = series.count
    for place in 0..<sharedTagCount { tagKeys[predicted[place]].append(lastCodes[place], series: ordinal) }
    unsafe key.bytes.withUnsafeBufferPointer { bytes in
      for place in sharedTagCount..<key.tags.count {
        let tag = key.tags[place]
        let index = unsafe tagKey(UnsafeBufferPointer(rebasing: bytes[tag.key]), at: place)
        let value = unsafe UnsafeBufferPointer(rebasing: bytes[tag.value])
        let (code, isNew) = unsafe tagKeys[index].code(of: value)
        tagKeys[index].append(code, series: ordinal)
        if place < lastCodes.count { lastCodes[place] = code } else { lastCodes.append(code) }
        if isNew { unsafe hashes.append(filterHash(index, value)) }
      }
    }
    series.append(Series())
  }

  private mutating func filterHash(_ tagKey: Int, _ value: UnsafeBufferPointer<UInt8>) -> UInt64 {
    filterKey.removeAll(keepingCapacity: true)
    filterKey.append(contentsOf: tagKeys[tagKey].filterHead)
    unsafe putText(value, to: &filterKey)
    return BloomFilter.hash(filterKey, .tag)
  }

  mutating func setRows(of ordinal: Int, start: Int) { series[ordinal].rowStart = start }

  mutating func setExtent(of ordinal: Int, rowCount: Int, first: Int64, last: Int64) {
    series[ordinal].rowCount = rowCount
    series[ordinal].firstTimestamp = first
    series[ordinal].lastTimestamp = last
  }

  private mutating func tagKey(_ name: UnsafeBufferPointer<UInt8>, at place: Int) -> Int {
    while predicted.count <= place { predicted.append(-1) }
    let last = predicted[place]
    let short = unsafe ShortText(name)
    if last >= 0, tagKeys[last].shortName == short, unsafe short.isWhole || tagKeys[last].isNamed(name) { return last }
    let found = tagKeys.firstIndex(where: { unsafe $0.isNamed(name) }) ?? tagKeys.count
    if found == tagKeys.count { tagKeys.append(TagKey(name: unsafe Array(name), measurement: measurement)) }
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
