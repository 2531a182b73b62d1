import LineProtocol

/// A series key with the places of its parts, for loops over many: parsing and comparing allocate nothing once warm.
struct ParsedSeriesKey {
  struct Tag {
    var key: Range<Int>
    var value: Range<Int>
  }

  private(set) var bytes: [UInt8] = []
  private(set) var measurement = 0..<0
  private(set) var tags: [Tag] = []

  /// Takes bytes in the flat form of `SeriesKey`; `false` if they are not well formed (order of tags is not looked at).
  mutating func parse(_ flat: [UInt8]) -> Bool {
    bytes = flat
    tags.removeAll(keepingCapacity: true)
    var offset = 0
    guard let name = Self.text(flat, at: &offset), let count = Self.number(flat, at: &offset) else {
      return false
    }
    measurement = name
    for _ in 0..<count {
      guard let key = Self.text(flat, at: &offset), let value = Self.text(flat, at: &offset) else {
        return false
      }
      tags.append(Tag(key: key, value: value))
    }
    return offset == flat.count
  }

  private static func number(_ bytes: [UInt8], at offset: inout Int) -> Int? {
    var (value, shift) = (0, 0)
    while offset < bytes.count, shift < 35 {
      let byte = bytes[offset]
      offset += 1
      value |= Int(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  private static func text(_ bytes: [UInt8], at offset: inout Int) -> Range<Int>? {
    guard let length = number(bytes, at: &offset), length <= bytes.count - offset else { return nil }
    offset += length
    return offset - length..<offset
  }

  /// Below zero, zero or above: the order of tables, as `SeriesKey.<`.
  static func compare(_ a: ParsedSeriesKey, _ b: ParsedSeriesKey) -> Int {
    let names = compareBytes(a.bytes, a.measurement, b.bytes, b.measurement)
    if names != 0 { return names }
    for index in 0..<min(a.tags.count, b.tags.count) {
      let (x, y) = (a.tags[index], b.tags[index])
      let keys = compareBytes(a.bytes, x.key, b.bytes, y.key)
      // The lower key is present on one side and absent on the other: absent goes first.
      if keys != 0 { return -keys }
      let values = compareBytes(a.bytes, x.value, b.bytes, y.value)
      if values != 0 { return values }
    }
    return a.tags.count - b.tags.count
  }
}

/// Lexicographic by bytes, the shorter first; callers give ranges inside the arrays.
func compareBytes(_ a: [UInt8], _ x: Range<Int>, _ b: [UInt8], _ y: Range<Int>) -> Int {
  precondition(x.upperBound <= a.count && y.upperBound <= b.count, "ranges outside the bytes")
  var (i, j) = (x.lowerBound, y.lowerBound)
  while i < x.upperBound, j < y.upperBound {
    if a[i] != b[j] { return a[i] < b[j] ? -1 : 1 }
    i &+= 1
    j &+= 1
  }
  return x.count - y.count
}

/// Whether two stretches are the same bytes.
func equalBytes(_ a: [UInt8], _ x: Range<Int>, _ b: [UInt8], _ y: Range<Int>) -> Bool {
  x.count == y.count && compareBytes(a, x, b, y) == 0
}
