import LineProtocol

/// The tags of one series, read off the flat form of its key (`SeriesKey`) where it lies.
struct SeriesTags {
  private let bytes: [UInt8]
  private let range: Range<Int>

  /// - Parameter range: where the key lies in `bytes`; the key was checked when it was made.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    self.range = range
  }

  /// The series itself.
  var key: SeriesKey { SeriesKey(wellFormed: Array(bytes[range])) }

  /// The value of a tag, empty where it is absent.
  func value(of key: [UInt8]) -> ArraySlice<UInt8> {
    var found = bytes[range.lowerBound..<range.lowerBound]
    visit { name, value in
      guard name.elementsEqual(key) else { return true }
      found = value
      return false
    }
    return found
  }

  /// Calls `body` with each tag in the order of keys until it answers `false`.
  func visit(_ body: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool) {
    var offset = range.lowerBound
    _ = text(&offset)
    var rest = number(&offset)
    while rest > 0, offset < range.upperBound {
      let key = text(&offset)
      let value = text(&offset)
      if !body(key, value) { return }
      rest -= 1
    }
  }

  /// The tags as line protocol writes them: `,key=value` of each, commas, equal signs and blanks escaped.
  var text: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(range.count)
    visit { key, value in
      out.append(UInt8(ascii: ","))
      Self.escape(key, into: &out)
      out.append(UInt8(ascii: "="))
      Self.escape(value, into: &out)
      return true
    }
    return out
  }

  private static func escape(_ text: ArraySlice<UInt8>, into out: inout [UInt8]) {
    for byte in text {
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: " ") {
        out.append(UInt8(ascii: "\\"))
      }
      out.append(byte)
    }
  }

  /// The values of sorted keys in one form of bytes: equal where all values are, and read back by `values`.
  func groupKey(_ keys: [[UInt8]]) -> [UInt8] {
    var out: [UInt8] = []
    for key in keys {
      let value = value(of: key)
      var length = value.count
      while length >= 0x80 {
        out.append(UInt8(truncatingIfNeeded: length) | 0x80)
        length >>= 7
      }
      out.append(UInt8(length))
      out.append(contentsOf: value)
    }
    return out
  }

  /// The values in a group key.
  static func values(_ groupKey: [UInt8], count: Int) -> [[UInt8]] {
    let reader = SeriesTags(groupKey, 0..<groupKey.count)
    var offset = 0
    return (0..<count).map { _ in Array(reader.text(&offset)) }
  }

  private func number(_ offset: inout Int) -> Int {
    var (value, shift) = (0, 0)
    while offset < range.upperBound, shift < 35 {
      let byte = bytes[offset]
      offset += 1
      value |= Int(byte & 0x7f) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    return value
  }

  private func text(_ offset: inout Int) -> ArraySlice<UInt8> {
    let length = min(number(&offset), range.upperBound - offset)
    defer { offset += length }
    return bytes[offset..<offset + length]
  }
}
