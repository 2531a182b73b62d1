/// Bytes of text that grows by rows: room for a row is made once, then it is written without further checks of the room.
///
/// Numbers take some nanoseconds each: two digits at a time, out of a table.
@safe struct TextBuffer: ~Copyable {
  private(set) var count = 0
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int

  /// "00" to "99".
  private static let pairs: [UInt8] = (UInt8(0)..<100).flatMap { (pair: UInt8) -> [UInt8] in
    [48 + pair / 10, 48 + pair % 10]
  }

  init(capacity: Int) {
    self.capacity = capacity
    unsafe base = .allocate(capacity: capacity)
  }

  deinit { unsafe base.deallocate() }

  /// Makes room for so many bytes more; those appended before the next call must not be more.
  mutating func reserve(_ byteCount: Int) {
    guard count + byteCount > capacity else { return }
    capacity = max(2 * capacity, count + byteCount)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    // `count` bytes are written, and there is room for more.
    unsafe larger.update(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = larger
  }

  /// Takes all bytes out.
  mutating func removeAll() { count = 0 }

  func withBytes(_ body: (RawSpan) throws -> Void) rethrows {
    // `count` bytes are written.
    try body(unsafe UnsafeRawBufferPointer(start: base, count: count).bytes)
  }

  @inline(__always) mutating func append(_ byte: UInt8) {
    assert(count < capacity)
    unsafe base[count] = byte
    count += 1
  }

  @inline(__always) mutating func append(_ bytes: [UInt8]) {
    assert(count + bytes.count <= capacity)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      // The room was reserved, and the bytes are others.
      unsafe (base + count).update(from: start, count: source.count)
    }
    count += bytes.count
  }

  @inline(__always) mutating func append(_ value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(value.magnitude)
  }

  @inline(__always) mutating func append(_ value: UInt64) {
    if value < 10 { return append(UInt8(48 + value)) }
    let digitCount = Self.digitCount(value)
    assert(count + digitCount <= capacity)
    var (rest, place) = (value, count + digitCount)
    unsafe Self.pairs.withUnsafeBufferPointer { pairs in
      while rest >= 100 {
        let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
        place -= 2
        // Below 100, so inside of the table; `place` counts down to `count`.
        unsafe base[place] = pairs[2 * Int(remainder)]
        unsafe base[place + 1] = pairs[2 * Int(remainder) + 1]
        rest = quotient
      }
      if rest >= 10 {
        unsafe base[place - 2] = pairs[2 * Int(rest)]
        unsafe base[place - 1] = pairs[2 * Int(rest) + 1]
      } else {
        unsafe base[place - 1] = UInt8(48 + rest)
      }
    }
    count += digitCount
  }

  @inline(__always) private static func digitCount(_ value: UInt64) -> Int {
    var (limit, count) = (UInt64(10), 1)
    while value >= limit {
      count += 1
      if count == 20 { break }
      limit *= 10
    }
    return count
  }
}
