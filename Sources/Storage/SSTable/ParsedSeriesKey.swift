import CShims
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

  /// Takes a range of bytes in the flat form of `SeriesKey`; `false` if they are not well formed.
  mutating func parse(_ flat: [UInt8], _ range: Range<Int>) -> Bool {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: flat[range])
    tags.removeAll(keepingCapacity: true)
    // Taken out, so that the view of the bytes is of something that does not change.
    var (name, found) = (0..<0, [Tag]())
    swap(&found, &tags)
    let isWellFormed = Self.parse(bytes.span, measurement: &name, tags: &found)
    swap(&found, &tags)
    measurement = name
    return isWellFormed
  }

  private static func parse(_ flat: Span<UInt8>, measurement: inout Range<Int>, tags: inout [Tag]) -> Bool {
    var offset = 0
    guard let name = text(flat, at: &offset), let count = number(flat, at: &offset) else { return false }
    measurement = name
    for _ in 0..<count {
      guard let key = text(flat, at: &offset), let value = text(flat, at: &offset) else { return false }
      if let last = tags.last, compareBytes(flat, last.key, flat, key) >= 0 { return false }
      tags.append(Tag(key: key, value: value))
    }
    return offset == flat.count
  }

  private static func number(_ bytes: Span<UInt8>, at offset: inout Int) -> Int? {
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

  private static func text(_ bytes: Span<UInt8>, at offset: inout Int) -> Range<Int>? {
    guard let length = number(bytes, at: &offset), length <= bytes.count - offset else { return nil }
    offset += length
    return offset - length..<offset
  }

  /// Below zero, zero or above: the order of tables, as `SeriesKey.<`.
  static func compare(_ a: ParsedSeriesKey, _ b: ParsedSeriesKey) -> Int {
    let (x, y) = (a.bytes.span, b.bytes.span)
    let names = compareBytes(x, a.measurement, y, b.measurement)
    if names != 0 { return names }
    for index in a.sharedTagCount(b)..<min(a.tags.count, b.tags.count) {
      let (p, q) = (a.tags[index], b.tags[index])
      let keys = compareBytes(x, p.key, y, q.key)
      // The lower key is present on one side and absent on the other: absent goes first.
      if keys != 0 { return -keys }
      let values = compareBytes(x, p.value, y, q.value)
      if values != 0 { return values }
    }
    return a.tags.count - b.tags.count
  }

  /// Tags at the beginning that both have, found by comparing bytes once: as many of them as begin at the same places.
  func sharedTagCount(_ other: ParsedSeriesKey) -> Int {
    guard measurement == other.measurement else { return 0 }
    // Within both.
    let same = unsafe bytes.withUnsafeBufferPointer { a in
      unsafe other.bytes.withUnsafeBufferPointer { b in
        guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
        return unsafe CShims_commonPrefix(x, y, min(a.count, b.count))
      }
    }
    var count = 0
    // Equal lengths stand in equal bytes, so that what ends within them is at the same place in both.
    while count < min(tags.count, other.tags.count), tags[count].value.upperBound <= same { count += 1 }
    return count
  }
}

/// Lexicographic by bytes, the shorter first; callers give ranges inside the arrays.
func compareBytes(_ a: [UInt8], _ x: Range<Int>, _ b: [UInt8], _ y: Range<Int>) -> Int {
  compareBytes(a.span, x, b.span, y)
}

/// The same of bytes that are looked at where they are.
func compareBytes(_ a: Span<UInt8>, _ x: Range<Int>, _ b: Span<UInt8>, _ y: Range<Int>) -> Int {
  for offset in 0..<min(x.count, y.count) {
    let (p, q) = (a[x.lowerBound + offset], b[y.lowerBound + offset])
    if p != q { return p < q ? -1 : 1 }
  }
  return x.count - y.count
}

/// Whether two stretches are the same bytes.
func equalBytes(_ a: [UInt8], _ x: Range<Int>, _ b: [UInt8], _ y: Range<Int>) -> Bool {
  guard x.count == y.count else { return false }
  precondition(x.upperBound <= a.count && y.upperBound <= b.count, "ranges outside the bytes")
  // Both ranges lie inside the arrays, as is checked above.
  return unsafe a.withUnsafeBufferPointer { p in
    unsafe b.withUnsafeBufferPointer { q in
      guard let m = p.baseAddress, let n = q.baseAddress else { return true }
      return unsafe CShims_isEqual(m + x.lowerBound, n + y.lowerBound, x.count) != 0
    }
  }
}
