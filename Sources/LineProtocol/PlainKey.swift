internal import CShims

/// The short way from a spelling to its series' key, for spellings without a backslash: one pass finds the names, a second one lays them
/// where they belong, and nothing is allocated but the key.
enum PlainKey {
  /// Where one tag lies.
  @unsafe private struct Tag: BitwiseCopyable {
    var key: UnsafePointer<UInt8>
    var keyCount: Int
    var value: UnsafePointer<UInt8>
    var valueCount: Int

    /// Bytes in a series' key.
    var byteCount: Int { unsafe SeriesKey.textByteCount(keyCount) + SeriesKey.textByteCount(valueCount) }

    /// Whether its key comes before another's.
    func precedes(_ other: Tag) -> Bool {
      let count = unsafe min(keyCount, other.keyCount)
      let common = unsafe CShims_commonPrefix(key, other.key, count)
      return unsafe common < count ? key[common] < other.key[common] : keyCount < other.keyCount
    }
  }

  /// The key of a valid spelling, given without the space after it; `nil` if it has a backslash.
  static func seriesKey(_ spelling: UnsafeBufferPointer<UInt8>) -> SeriesKey? {
    guard let start = spelling.baseAddress else { return nil }
    let end = unsafe start + spelling.count
    guard unsafe CShims_findByte(start, end, Escaping.backslash) == end else { return nil }
    // As many commas as tags, and a valid spelling has one `=` in each.
    let tagCount = unsafe CShims_countByte(start, end, Escaping.comma)
    return unsafe withUnsafeTemporaryAllocation(of: Tag.self, capacity: tagCount) { tags in
      let measurementEnd = unsafe CShims_findByte(start, end, Escaping.comma)
      var position = unsafe measurementEnd
      for index in 0..<tagCount {
        let tag = unsafe tag(from: position + 1, end)
        unsafe position = tag.value + tag.valueCount
        unsafe insert(tag, into: tags, count: index)
      }
      let measurement = unsafe UnsafeBufferPointer(start: start, count: measurementEnd - start)
      return unsafe makeKey(measurement, UnsafeBufferPointer(tags))
    }
  }

  @inline(__always) private static func tag(from key: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Tag {
    let equals = unsafe CShims_findByte(key, end, Escaping.equals)
    precondition(unsafe equals < end, "a numbered spelling is valid")
    let value = unsafe equals + 1
    let valueEnd = unsafe CShims_findByte(value, end, Escaping.comma)
    return unsafe Tag(key: key, keyCount: equals - key, value: value, valueCount: valueEnd - value)
  }

  /// Puts a tag among those before it, in the order of keys: few, and mostly sent in order.
  @inline(__always) private static func insert(_ tag: Tag, into tags: UnsafeMutableBufferPointer<Tag>, count: Int) {
    var place = count
    while place > 0, unsafe tag.precedes(tags[place - 1]) {
      unsafe tags[place] = tags[place - 1]
      place -= 1
    }
    unsafe tags[place] = tag
  }

  private static func makeKey(
    _ measurement: UnsafeBufferPointer<UInt8>, _ tags: UnsafeBufferPointer<Tag>
  ) -> SeriesKey {
    var byteCount = SeriesKey.textByteCount(measurement.count) + SeriesKey.varintByteCount(tags.count)
    for index in tags.indices { unsafe byteCount += tags[index].byteCount }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount)
    unsafe SeriesKey.append(measurement, to: &bytes)
    SeriesKey.appendVarint(tags.count, to: &bytes)
    for index in tags.indices {
      let tag = unsafe tags[index]
      unsafe SeriesKey.append(UnsafeBufferPointer(start: tag.key, count: tag.keyCount), to: &bytes)
      unsafe SeriesKey.append(UnsafeBufferPointer(start: tag.value, count: tag.valueCount), to: &bytes)
    }
    return SeriesKey(wellFormed: bytes)
  }
}
