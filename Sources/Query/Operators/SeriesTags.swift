import Glibc
import LineProtocol

/// The tags of one series, read off the flat form of its key (`SeriesKey`) where it lies.
struct SeriesTags {
  let bytes: [UInt8]
  private let range: Range<Int>

  /// - Parameter range: where the key lies in `bytes`; the key was checked when it was made.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    self.range = range
  }

  /// All of `bytes`.
  init(_ bytes: [UInt8]) { self.init(bytes, 0..<bytes.count) }

  /// The series itself.
  var key: SeriesKey { SeriesKey(wellFormed: Array(bytes[range])) }

  /// The value of a tag, empty where it is absent.
  func value(of key: [UInt8]) -> ArraySlice<UInt8> { bytes[place(of: key)] }

  private func place(of key: [UInt8]) -> Range<Int> {
    var found = range.lowerBound..<range.lowerBound
    visitPlaces { name, value in
      guard order(key, name) == 0 else { return true }
      found = value
      return false
    }
    return found
  }

  /// Calls `body` with each tag in the order of keys until it answers `false`.
  func visit(_ body: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool) {
    visitPlaces { body(bytes[$0], bytes[$1]) }
  }

  /// The same with where they lie in `bytes`.
  @inline(__always)
  func visitPlaces(_ body: (_ key: Range<Int>, _ value: Range<Int>) -> Bool) {
    var offset = range.lowerBound
    _ = place(&offset)
    var rest = number(&offset)
    while rest > 0, offset < range.upperBound {
      let key = place(&offset)
      let value = place(&offset)
      if !body(key, value) { return }
      rest -= 1
    }
  }

  /// Below zero where a name comes before the key at a place, zero where it is that key.
  func order(_ name: [UInt8], _ key: Range<Int>) -> Int { -order(key, name, 0..<name.count) }

  /// Below zero where the bytes of a place come before those of a place in `other`, zero where they are the same.
  func order(_ place: Range<Int>, _ other: [UInt8], _ otherPlace: Range<Int>) -> Int {
    let (a, b) = (bytes.span.extracting(place), other.span.extracting(otherPlace))
    // Bounds: both spans were cut above, and no more than the shorter is compared.
    let order = unsafe a.withUnsafeBytes { x in
      unsafe b.withUnsafeBytes { y in
        guard let x0 = x.baseAddress, let y0 = y.baseAddress else { return Int32(0) }
        return unsafe memcmp(x0, y0, min(x.count, y.count))
      }
    }
    return order != 0 ? Int(order) : a.count - b.count
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

  /// Appends the values of sorted keys in one form of bytes: equal where all values are, and read back by `place`.
  func appendGroupKey(_ keys: [[UInt8]], to out: inout [UInt8]) {
    for key in keys {
      let place = place(of: key)
      var length = place.count
      while length >= 0x80 {
        out.append(UInt8(truncatingIfNeeded: length) | 0x80)
        length >>= 7
      }
      out.append(UInt8(length))
      out.append(contentsOf: bytes[place])
    }
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

  /// Where the text lies whose length stands at an offset, which is moved behind it.
  func place(_ offset: inout Int) -> Range<Int> {
    let length = min(number(&offset), range.upperBound - offset)
    defer { offset += length }
    return offset..<offset + length
  }
}
