internal import CShims

/// Eight decimal digits at once (Lemire, "Quickly parsing eight digits", 2018).
enum Digits {
  /// The number that 8 bytes, loaded little-endian, spell; `nil` if one is not a digit.
  @inline(__always) static func eight(_ word: UInt64) -> UInt64? {
    let high = word & 0xf0f0_f0f0_f0f0_f0f0
    let carried = (word &+ 0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0
    if high != 0x3030_3030_3030_3030 || carried != 0x3030_3030_3030_3030 { return nil }
    let pairs = ((word & 0x0f0f_0f0f_0f0f_0f0f) &* 2_561) >> 8
    let fours = ((pairs & 0x00ff_00ff_00ff_00ff) &* 6_553_601) >> 16
    return ((fours & 0x0000_ffff_0000_ffff) &* 42_949_672_960_001) >> 32
  }
}

/// Reads values of a known type in the fast loop; `nil` means "not the usual form", never "wrong".
///
/// The bytes before `end` end with a newline, at which every scan stops.
@unsafe struct ValueReader {
  private let floats: DecimalFloat
  private let end: UnsafePointer<UInt8>
  private let batch: LineBatch
  /// Where the batch's strings ended when the line began; −1: the line has had no string.
  private var stringMark = -1
  /// Newlines inside the line's strings.
  private(set) var newlineCount: UInt64 = 0

  init(floats: DecimalFloat, end: UnsafePointer<UInt8>, batch: LineBatch) {
    unsafe self.floats = floats
    unsafe self.end = end
    unsafe self.batch = batch
  }

  /// A line begins.
  @inline(__always) mutating func begin() {
    unsafe stringMark = -1
    unsafe newlineCount = 0
  }

  /// Takes back the strings of a line that is given up.
  func undo() {
    if unsafe stringMark >= 0 { unsafe batch.strings.setCount(stringMark) }
  }

  /// The word of the value at `cursor`, which moves past it.
  @inline(__always) mutating func read(_ cursor: inout UnsafePointer<UInt8>, _ type: FieldType) -> UInt64? {
    switch type {
    case .integer: unsafe readInteger(&cursor, UInt8(ascii: "i"))
    case .float: unsafe readFloat(&cursor)
    case .unsigned: unsafe cursor.pointee == UInt8(ascii: "-") ? nil : readInteger(&cursor, UInt8(ascii: "u"))
    case .boolean: unsafe readBoolean(&cursor)
    case .string: unsafe readString(&cursor)
    }
  }

  @inline(__always) private func readInteger(_ cursor: inout UnsafePointer<UInt8>, _ suffix: UInt8) -> UInt64?
  {
    let isNegative = unsafe cursor.pointee == UInt8(ascii: "-")
    if isNegative { unsafe cursor += 1 }
    let start = unsafe cursor
    var value: UInt64 = 0
    while true {
      let digit = unsafe cursor.pointee &- UInt8(ascii: "0")
      if digit > 9 { break }
      value = value &* 10 &+ UInt64(digit)
      unsafe cursor += 1
    }
    let count = unsafe cursor - start
    // 18 digits fit any type.
    guard unsafe count > 0 && count <= 18 && cursor.pointee == suffix else { return nil }
    unsafe cursor += 1
    return isNegative ? 0 &- value : value
  }

  @inline(__always) private func readFloat(_ cursor: inout UnsafePointer<UInt8>) -> UInt64? {
    let start = unsafe cursor
    let isNegative = unsafe cursor.pointee == UInt8(ascii: "-")
    if isNegative { unsafe cursor += 1 }
    let first = unsafe cursor
    var digits: UInt64 = 0
    unsafe Self.readDigits(&cursor, &digits)
    var (digitCount, fractionCount) = unsafe (cursor - first, 0)
    if unsafe cursor.pointee == UInt8(ascii: ".") {
      unsafe cursor += 1
      let point = unsafe cursor
      while unsafe end - cursor > 8, let eight = unsafe Digits.eight(CShims_load8(cursor)) {
        digits = digits &* 100_000_000 &+ eight
        unsafe cursor += 8
      }
      unsafe Self.readDigits(&cursor, &digits)
      fractionCount = unsafe cursor - point
      digitCount += fractionCount
    }
    let isUsual = unsafe digitCount > 0 && digitCount <= 19 && cursor.pointee | 0x20 != UInt8(ascii: "e")
    let magnitude = unsafe isUsual ? floats.value(digits, exponent: -fractionCount) : readLong(start, &cursor)
    guard magnitude.isFinite else { return nil }
    return (isUsual && isNegative ? -magnitude : magnitude).bitPattern
  }

  @inline(__always) private static func readDigits(
    _ cursor: inout UnsafePointer<UInt8>, _ digits: inout UInt64
  ) {
    while true {
      let digit = unsafe cursor.pointee &- UInt8(ascii: "0")
      if digit > 9 { break }
      digits = digits &* 10 &+ UInt64(digit)
      unsafe cursor += 1
    }
  }

  /// A number with an exponent or many digits, sign and all; infinite if it is none or out of range.
  @inline(never) private func readLong(_ start: UnsafePointer<UInt8>, _ cursor: inout UnsafePointer<UInt8>)
    -> Double
  {
    unsafe cursor = CShims_findAny(start, end, Escaping.comma, Escaping.space, Escaping.newline)
    let count = unsafe cursor - start
    // A carriage return before the newline is the line's, not the number's: left to the general way.
    return unsafe floats.parse(UnsafeBufferPointer(start: start, count: count)) ?? .infinity
  }

  @inline(__always) private func readBoolean(_ cursor: inout UnsafePointer<UInt8>) -> UInt64? {
    let start = unsafe cursor
    // An empty value may stand before the last newline, behind which nothing may be read.
    if unsafe Self.isDelimiter(start.pointee) { return nil }
    let isTrue = unsafe start.pointee | 0x20 == UInt8(ascii: "t")
    unsafe cursor += 1
    // One letter, else a word: its last letter and length first, the rest exactly.
    if unsafe Self.isDelimiter(cursor.pointee) {
      return unsafe isTrue || start.pointee | 0x20 == UInt8(ascii: "f") ? (isTrue ? 1 : 0) : nil
    }
    let count = unsafe CShims_findAny(start, end, Escaping.comma, Escaping.space, Escaping.newline) - start
    guard let value = unsafe LineValue.boolean(UnsafeBufferPointer(start: start, count: count)) else {
      return nil
    }
    unsafe cursor = start + count
    return value ? 1 : 0
  }

  @inline(__always) private static func isDelimiter(_ byte: UInt8) -> Bool {
    byte == Escaping.comma || byte == Escaping.space || byte == Escaping.newline || byte == UInt8(ascii: "\r")
  }

  @inline(never) private mutating func readString(_ cursor: inout UnsafePointer<UInt8>) -> UInt64? {
    guard unsafe cursor.pointee == Escaping.quote else { return nil }
    let start = unsafe cursor + 1
    var (place, hasEscape) = unsafe (start, false)
    while true {
      unsafe place = CShims_findAny(place, end, Escaping.quote, Escaping.backslash, Escaping.newline)
      if unsafe place >= end { return nil }
      let byte = unsafe place.pointee
      if byte == Escaping.quote { break }
      if byte == Escaping.backslash {
        hasEscape = true
        unsafe place += 1  // still before `end`: its last byte is a newline
      }
      if unsafe place.pointee == Escaping.newline { unsafe newlineCount &+= 1 }
      unsafe place += 1
    }
    let content = unsafe UnsafeBufferPointer(start: start, count: place - start)
    guard unsafe Escaping.isUTF8(content) else { return nil }
    let offset = unsafe batch.strings.count
    if unsafe stringMark < 0 { unsafe stringMark = offset }
    if hasEscape {
      unsafe Escaping.appendUnescapedString(content, to: &batch.strings)
    } else {
      unsafe batch.strings.append(contentsOf: content)
    }
    unsafe cursor = place + 1
    return unsafe UInt64(offset) << 32 | UInt64(batch.strings.count - offset)
  }
}
