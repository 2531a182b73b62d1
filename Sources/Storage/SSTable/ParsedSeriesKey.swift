import CShims
import LineProtocol

/// A series key with the places of its parts, for loops over many: parsing and comparing allocate nothing once warm.
///
/// Not copied, so that a look at one that an object holds counts no references.
struct ParsedSeriesKey: ~Copyable {
  struct Tag {
    var key: Range<Int>
    var value: Range<Int>
  }

  private(set) var bytes: [UInt8] = []
  private(set) var measurement = 0..<0
  private(set) var tags: [Tag] = []
  /// Where the first tag begins, behind their number; 0 where nothing was parsed.
  private var tagStart = 0

  /// Takes a range of bytes in the flat form of `SeriesKey`; `false` if they are not well formed.
  mutating func parse(_ flat: [UInt8], _ range: Range<Int>) -> Bool {
    parse(flat, range, after: ParsedSeriesKey()) != nil
  }

  /// The same of a key that follows `last`, whose first tags it shares as a rule: these are not parsed again. Answers how many they are.
  mutating func parse(_ flat: [UInt8], _ range: Range<Int>, after last: borrowing ParsedSeriesKey) -> Int? {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(contentsOf: flat[range])
    tags.removeAll(keepingCapacity: true)
    let same = sharedByteCount(bytes.span, last.bytes.span)
    var (sharedCount, tagCount) = (0, last.tags.count)
    if last.tagStart > 0, same >= last.tagStart {
      (measurement, tagStart) = (last.measurement, last.tagStart)
      sharedCount = sharedTagCount(last, same: same)
      tags.append(contentsOf: last.tags[..<sharedCount])
    } else {
      guard let head = Self.parseHead(bytes.span) else { return nil }
      (measurement, tagStart, tagCount) = (head.measurement, head.tagStart, head.tagCount)
    }
    // Taken out, so that the view of the bytes is of something that does not change.
    var found: [Tag] = []
    swap(&found, &tags)
    let isWellFormed = Self.parseTags(bytes.span, from: found.last?.value.upperBound ?? tagStart, count: tagCount, to: &found)
    swap(&found, &tags)
    return isWellFormed ? sharedCount : nil
  }

  private static func parseHead(_ flat: Span<UInt8>) -> (measurement: Range<Int>, tagStart: Int, tagCount: Int)? {
    var offset = 0
    guard let name = text(flat, at: &offset), let count = number(flat, at: &offset) else { return nil }
    return (name, offset, count)
  }

  /// Parses tags behind those that are known, until there are `count`.
  private static func parseTags(_ flat: Span<UInt8>, from start: Int, count: Int, to tags: inout [Tag]) -> Bool {
    var offset = start
    while tags.count < count {
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
  static func compare(_ a: borrowing ParsedSeriesKey, _ b: borrowing ParsedSeriesKey) -> Int {
    compare(a, b, sharing: a.measurement == b.measurement ? a.sharedTagCount(b, same: sharedByteCount(a.bytes.span, b.bytes.span)) : 0)
  }

  /// The same where it is known how many tags both begin with.
  static func compare(_ a: borrowing ParsedSeriesKey, _ b: borrowing ParsedSeriesKey, sharing sharedTagCount: Int) -> Int {
    let (x, y) = (a.bytes.span, b.bytes.span)
    if sharedTagCount == 0 {
      let names = compareBytes(x, a.measurement, y, b.measurement)
      if names != 0 { return names }
    }
    for index in sharedTagCount..<min(a.tags.count, b.tags.count) {
      let (p, q) = (a.tags[index], b.tags[index])
      let keys = compareBytes(x, p.key, y, q.key)
      // The lower key is present on one side and absent on the other: absent goes first.
      if keys != 0 { return -keys }
      let values = compareBytes(x, p.value, y, q.value)
      if values != 0 { return values }
    }
    return a.tags.count - b.tags.count
  }

  /// Whether it is a series of a measurement.
  func isOf(_ name: [UInt8]) -> Bool { equalBytes(name, 0..<name.count, bytes, measurement) }

  /// What places it in a table's filter.
  var filterHash: UInt64 { BloomFilter.hash(bytes, bytes.indices, .series) }

  /// Tags of `other` that lie in the bytes that both begin with, the measurement among them. Equal lengths stand in equal bytes, so
  /// that what ends within them is at the same place in both.
  private func sharedTagCount(_ other: borrowing ParsedSeriesKey, same: Int) -> Int {
    var count = 0
    while count < other.tags.count, other.tags[count].value.upperBound <= same { count += 1 }
    return count
  }
}

/// Lexicographic by bytes, the shorter first; callers give ranges inside the arrays.
func compareBytes(_ a: [UInt8], _ x: Range<Int>, _ b: [UInt8], _ y: Range<Int>) -> Int {
  compareBytes(a.span, x, b.span, y)
}

/// The same of bytes that are looked at where they are.
func compareBytes(_ a: Span<UInt8>, _ x: Range<Int>, _ b: Span<UInt8>, _ y: Range<Int>) -> Int {
  precondition(x.upperBound <= a.count && y.upperBound <= b.count, "ranges outside the bytes")
  // Both ranges lie inside, as is checked above.
  return unsafe a.withUnsafeBufferPointer { p in
    unsafe b.withUnsafeBufferPointer { q in
      guard let m = unsafe p.baseAddress.map({ unsafe $0 + x.lowerBound }), let n = unsafe q.baseAddress.map({ unsafe $0 + y.lowerBound })
      else { return x.count - y.count }
      let count = min(x.count, y.count)
      let same = unsafe CShims_commonPrefix(m, n, count)
      return unsafe same == count ? x.count - y.count : Int(m[same]) - Int(n[same])
    }
  }
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
