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
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, count in
      unsafe put(measurement.baseAddress, measurement.count, into: bytes, &count)
      unsafe put(tags.count, into: bytes, &count)
      for index in tags.indices {
        let tag = unsafe tags[index]
        unsafe put(tag.key, tag.keyCount, into: bytes, &count)
        unsafe put(tag.value, tag.valueCount, into: bytes, &count)
      }
    }
    return SeriesKey(wellFormed: bytes)
  }

  @inline(__always) private static func put(
    _ text: UnsafePointer<UInt8>?, _ textCount: Int, into bytes: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int
  ) {
    unsafe put(textCount, into: bytes, &count)
    // As many bytes as were counted for it.
    let rest = unsafe UnsafeMutableBufferPointer(rebasing: bytes[count...])
    _ = unsafe rest.update(fromContentsOf: UnsafeBufferPointer(start: text, count: textCount))
    count += textCount
  }

  /// A varint.
  @inline(__always) private static func put(
    _ value: Int, into bytes: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int
  ) {
    var rest = value
    while rest >= 0x80 {
      unsafe bytes[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      count += 1
      rest >>= 7
    }
    unsafe bytes[count] = UInt8(rest)
    count += 1
  }
}
