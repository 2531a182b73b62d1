/// Bytes of text that grows by rows: room for a row is made once, then it is written without further checks of the room.
///
/// Numbers take some nanoseconds each: eight digits at a time.
@safe struct TextBuffer: ~Copyable {
  private(set) var count = 0
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int

  /// The room that a number needs: more than it takes.
  static let numberByteCountMax = 32

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
  mutating func truncate(to count: Int) { self.count = min(count, self.count) }

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
    if bytes.count == 1 { return append(bytes[0]) }
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      // The room was reserved, and the bytes are others.
      unsafe (base + count).update(from: start, count: source.count)
    }
    count += bytes.count
  }

  @inline(__always) mutating func append(_ bytes: ArraySlice<UInt8>) {
    assert(count + bytes.count <= capacity)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      // As above.
      unsafe (base + count).update(from: start, count: source.count)
    }
    count += bytes.count
  }

  @inline(__always) mutating func append(_ value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(value.magnitude)
  }

  @inline(__always) mutating func append(_ value: UInt64) {
    guard value < 100 else { return appendLong(value) }
    // Both digits are written, and the first is passed over where it is 0: a branch would be foretold wrongly for every tenth of small numbers.
    let small = UInt16(truncatingIfNeeded: value)
    let tens = (small &* 103) &>> 10
    let digits = (0x3030 | tens | (small &- tens &* 10) &<< 8) &>> (small < 10 ? 8 : 0)
    assert(count + 2 <= capacity)
    // The room of a number is there.
    unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: digits.littleEndian, as: UInt16.self)
    count += small < 10 ? 1 : 2
  }

  private mutating func appendLong(_ value: UInt64) {
    let part: UInt64 = 100_000_000
    if value < part { return put(leading: value) }
    let (high, low) = (value / part, value % part)
    if high < part {
      put(leading: high)
    } else {
      put(leading: high / part)
      put(DecimalWord.digits(high % part), skipping: 0)
    }
    put(DecimalWord.digits(low), skipping: 0)
  }

  @inline(__always) private mutating func put(leading value: UInt64) {
    let digits = DecimalWord.digits(value)
    put(digits, skipping: DecimalWord.leadingZeroCount(digits))
  }

  @inline(__always) private mutating func put(_ digits: UInt64, skipping skipped: Int) {
    assert(count + 8 <= capacity)
    // The room of a number is there, and a number is at most three times eight digits.
    unsafe UnsafeMutableRawPointer(base + count).storeBytes(
      of: DecimalWord.text(digits, skipping: skipped), as: UInt64.self)
    count += 8 &- skipped
  }

  /// Appends the time of a second of a day: `23:59:59`.
  @inline(__always) mutating func append(clock second: Int) {
    assert(count + 8 <= capacity)
    count += 8
    put(clock: second, at: count - 8)
  }

  /// Writes the time of a second of a day over eight bytes.
  @inline(__always) mutating func put(clock second: Int, at place: Int) {
    assert(place >= 0 && place + 8 <= count)
    let (hour, minute) = (second / 3_600, second / 60 % 60)
    let digits = DecimalWord.digits(UInt64(hour * 1_000_000 + minute * 1_000 + second % 60))
    // The digits are hh0mm0ss; the two zeros become colons. The bytes are there.
    unsafe UnsafeMutableRawPointer(base + place).storeBytes(
      of: (digits | 0x3030_3a30_303a_3030).littleEndian, as: UInt64.self)
  }

  /// Appends bytes again that stand before; needs room for `slackByteCount` more.
  @inline(__always) mutating func `repeat`(_ start: Int, _ byteCount: Int) {
    assert(start + byteCount <= count && count + byteCount + Self.slackByteCount <= capacity)
    unsafe copy(start, byteCount, to: base + count)
    count += byteCount
  }

  /// Appends a finite number as `[UInt8].appendFloat` does, or without exponent whatever its size.
  mutating func append(_ value: Double, isPlain: Bool = false) {
    let magnitude = value.magnitude
    if isPlain && value.isFinite || magnitude == 0 || magnitude >= 1e-6 && magnitude < 1e21 {
      let number = DecimalDigits(value)
      // 10¹⁸ and a fraction below it are 19 digits, which 64 bits hold.
      if number.exponent <= 0, number.exponent >= -18 { return append(number) }
    }
    var text: [UInt8] = []
    text.appendFloatOrName(value, isPlain: isPlain)
    reserve(text.count)
    append(text)
  }

  private mutating func append(_ number: DecimalDigits) {
    if number.isNegative { append(UInt8(ascii: "-")) }
    guard number.exponent < 0 else { return append(number.significand) }
    let power = DecimalDigits.powersOfTen[-number.exponent]
    let (whole, fraction) = number.significand.quotientAndRemainder(dividingBy: power)
    append(whole)
    let point = count
    // The one in front of the fraction keeps its zeros, and makes room for the point.
    append(power + fraction)
    unsafe base[point] = UInt8(ascii: ".")
  }

  /// Appends a text of which every byte stands for itself; `false`, nothing appended, where one is marked: see `PlainText`.
  @inline(__always)
  mutating func append(_ text: Span<UInt8>, whereAll marks: (UInt64) -> UInt64) -> Bool {
    assert(count + text.count + 8 <= capacity)
    guard unsafe PlainText.copy(text, to: base + count, whereAll: marks) else { return false }
    count += text.count
    return true
  }

  /// Bytes that are copied whole where fewer are meant: moving them costs less than counting them, and most texts are short.
  static let slackByteCount = 32

  /// Copies some of the bytes to where there is room for them and for `slackByteCount` more; here there is room behind them for as many too.
  @inline(__always)
  func copy(_ start: Int, _ byteCount: Int, to target: UnsafeMutablePointer<UInt8>) {
    assert(start + max(byteCount, Self.slackByteCount) <= capacity)
    let (source, target) = unsafe (UnsafeRawPointer(base + start), UnsafeMutableRawPointer(target))
    unsafe target.storeBytes(of: source.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    guard byteCount > 16 else { return }
    unsafe target.storeBytes(
      of: source.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self), toByteOffset: 16, as: SIMD16<UInt8>.self)
    if byteCount > 32 { unsafe (target + 32).copyMemory(from: source + 32, byteCount: byteCount &- 32) }
  }

  /// Has `body` write so many bytes at the end, and perhaps up to `slackByteCount` behind them.
  mutating func append(byteCount: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    reserve(byteCount + Self.slackByteCount)
    // The room was made.
    unsafe body(base + count)
    count += byteCount
  }
}
