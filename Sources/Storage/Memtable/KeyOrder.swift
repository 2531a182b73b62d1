import CShims
import LineProtocol

/// The flat form of series keys (see `SeriesKey`) compared and searched in place, without making slices.
///
/// Keys are well formed by construction (`SeriesKey.bytes`); reads past the end would trap by bounds checks
/// of the buffers.
enum KeyOrder {
  /// Whether `a` comes before `b` in canonical order: measurement by bytes, then the first tag key in which
  /// they differ, absent first, values by bytes.
  static func isBefore(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    let same = unsafe commonPrefix(a, b)
    if same == a.count, same == b.count { return false }
    var (i, j) = (0, 0)
    let measurement = unsafe compare(a, &i, b, &j, same: same)
    if measurement != 0 { return measurement < 0 }
    let (countA, countB) = unsafe (length(a, &i), length(b, &j))
    // Behind a differing tag count nothing is known to be equal any more.
    let known = countA == countB ? same : 0
    for _ in 0..<min(countA, countB) {
      let key = unsafe compare(a, &i, b, &j, same: known)
      // The lower key is present on one side and absent on the other: absent goes first.
      if key != 0 { return key > 0 }
      let value = unsafe compare(a, &i, b, &j, same: known)
      if value != 0 { return value < 0 }
    }
    return countA < countB
  }

  /// Compares the texts at `i` and `j` and moves behind them; texts that lie whole in the first `same` bytes
  /// are equal.
  @inline(__always) private static func compare(
    _ a: UnsafeBufferPointer<UInt8>, _ i: inout Int, _ b: UnsafeBufferPointer<UInt8>, _ j: inout Int,
    same: Int
  ) -> Int {
    let countA = unsafe length(a, &i)
    if i + countA <= same {
      i += countA
      j = i
      return 0
    }
    let countB = unsafe length(b, &j)
    defer {
      i += countA
      j += countB
    }
    for offset in 0..<min(countA, countB) {
      let (x, y) = unsafe (a[i + offset], b[j + offset])
      if x != y { return x < y ? -1 : 1 }
    }
    return countA - countB
  }

  @inline(__always) fileprivate static func length(_ bytes: UnsafeBufferPointer<UInt8>, _ offset: inout Int)
    -> Int
  {
    var (value, shift) = (0, 0)
    while true {
      let byte = unsafe bytes[offset]
      offset += 1
      value |= Int(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }

  private static func commonPrefix(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
    guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
    return unsafe CShims_commonPrefix(x, y, min(a.count, b.count))
  }
}

extension KeyOrder {
  /// Hands out key and value of each tag of a key in order; the buffers are valid as long as the key.
  @unsafe struct TagCursor {
    private let key: UnsafeBufferPointer<UInt8>
    private var at = 0
    /// Tags to come.
    private(set) var left: Int

    init(_ key: UnsafeBufferPointer<UInt8>) {
      unsafe self.key = key
      _ = unsafe text(key, &at)
      unsafe left = length(key, &at)
    }

    @inline(__always) mutating func next() -> (name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)? {
      if unsafe left == 0 { return nil }
      unsafe left -= 1
      let name = unsafe text(key, &at)
      return unsafe (name, text(key, &at))
    }
  }

  /// The text at `at`, and moves behind it.
  @inline(__always) fileprivate static func text(
    _ key: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) -> UnsafeBufferPointer<UInt8> {
    let count = unsafe length(key, &at)
    defer { at += count }
    return unsafe UnsafeBufferPointer(rebasing: key[at..<at + count])
  }

  /// The measurement of a key, in place.
  static func measurementBytes(of key: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var start = 0
    return unsafe text(key, &start)
  }

  /// Whether two texts are the same bytes.
  @inline(__always) static func isEqual(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count, let x = a.baseAddress, let y = b.baseAddress else { return a.count == b.count }
    return unsafe CShims_isEqual(x, y, a.count) != 0
  }

  /// The value of a tag, empty where it is absent; valid as long as the key.
  static func value(of wanted: [UInt8], in key: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    // Asked of every series by lists of tag values: no closure, no access to be watched.
    var at = 0
    _ = unsafe text(key, &at)
    for _ in 0..<(unsafe length(key, &at)) {
      let name = unsafe text(key, &at)
      let value = unsafe text(key, &at)
      if unsafe isEqual(name, wanted) { return unsafe value }
    }
    return unsafe UnsafeBufferPointer(start: nil, count: 0)
  }

  /// Whether the value of a tag, empty where it is absent, is `value`.
  static func hasValue(_ value: [UInt8], of wanted: [UInt8], in key: UnsafeBufferPointer<UInt8>) -> Bool {
    unsafe isEqual(self.value(of: wanted, in: key), value)
  }

  @inline(__always) static func isEqual(_ name: UnsafeBufferPointer<UInt8>, _ wanted: [UInt8]) -> Bool {
    unsafe wanted.withUnsafeBufferPointer { unsafe isEqual(name, $0) }
  }

  /// Bytes that the measurement and the number of tags take.
  static func byteCountBeforeTags(of key: UnsafeBufferPointer<UInt8>) -> Int {
    var at = 0
    let count = unsafe length(key, &at)
    at += count
    _ = unsafe length(key, &at)
    return at
  }

  /// The measurement of a key.
  static func measurement(of key: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var start = 0
    let count = unsafe length(key, &start)
    return unsafe Array(key[start..<start + count])
  }

  /// Below 0 where the measurement of a key comes before `name`, 0 where it is that; no allocation.
  static func compareMeasurement(of key: UnsafeBufferPointer<UInt8>, to name: [UInt8]) -> Int {
    var start = 0
    let count = unsafe length(key, &start)
    for index in 0..<min(count, name.count) {
      let difference = unsafe Int(key[start + index]) - Int(name[index])
      if difference != 0 { return difference }
    }
    return count - name.count
  }
}
