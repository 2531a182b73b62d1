/// A field's value in a line.
enum LineValue {
  case float(Double)
  case integer(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  /// What stands between the quotes, escaped.
  case string(Range<Int>)

  var type: FieldType {
    switch self {
    case .float: .float
    case .integer: .integer
    case .unsigned: .unsigned
    case .boolean: .boolean
    case .string: .string
    }
  }

  /// Reads all of `range`; `nil` if it is not one value.
  init?(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ floats: DecimalFloat) {
    // Every range lies within the line.
    guard let first = unsafe line[range].first else { return nil }
    do throws(LineFault) {
      if first == Escaping.quote {
        guard unsafe Self.isString(line, range) else { return nil }
        self = .string(range.lowerBound + 1..<range.upperBound - 1)
        return
      }
      let (value, end) =
        unsafe Self.beginsNumber(first)
        ? try Self.scanNumber(line, from: range.lowerBound, floats)
        : try Self.scanBoolean(line, from: range.lowerBound)
      if end != range.upperBound { return nil }
      self = value
    } catch {
      return nil
    }
  }

  /// Whether the range is one quoted string: its last byte is the quote that closes it.
  private static func isString(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
    var position = range.lowerBound + 1
    while position < range.upperBound {
      let byte = unsafe line[position]
      if byte == Escaping.quote { return position == range.upperBound - 1 }
      position += byte == Escaping.backslash ? 2 : 1
    }
    return false
  }

  /// Where the value that begins a range ends: at an unquoted comma, or the range's end (InfluxDB's `scanFieldValue`).
  static func end(_ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
    var (position, isQuoted) = (range.lowerBound, false)
    while position < range.upperBound {
      let byte = unsafe line[position]
      if byte == Escaping.backslash, position + 1 < range.upperBound {
        let following = unsafe line[position + 1]
        position += following == Escaping.quote || following == Escaping.backslash ? 2 : 1
        continue
      }
      if byte == Escaping.quote { isQuoted.toggle() }
      if byte == Escaping.comma && !isQuoted { break }
      position += 1
    }
    return min(position, range.upperBound)
  }

  /// Whether a value that begins so is read as a number.
  @inline(__always) static func beginsNumber(_ byte: UInt8) -> Bool {
    isNumeric(byte) || byte == UInt8(ascii: "-") || byte | 0x20 == UInt8(ascii: "n")
  }

  @inline(__always) private static func isNumeric(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") <= 9 || byte == UInt8(ascii: ".")
  }

  /// Scans a number up to a comma, a space or the line's end.
  static func scanNumber(
    _ line: UnsafeBufferPointer<UInt8>, from start: Int, _ floats: DecimalFloat
  ) throws(LineFault) -> (value: LineValue, end: Int) {
    var position = start
    let isNegative = unsafe line[start] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var (suffix, hasPoint, isScientific): (UInt8, Bool, Bool) = (0, false, false)
    while position < line.count {
      let byte = unsafe line[position]
      if byte == Escaping.comma || byte == Escaping.space { break }
      let isLater = position > start
      if (byte == UInt8(ascii: "i") || byte == UInt8(ascii: "u")) && isLater && suffix == 0 {
        suffix = byte
      } else if byte | 0x20 == UInt8(ascii: "e") && isLater {
        isScientific = true
      } else if unsafe (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
        && line[position - 1] | 0x20 == UInt8(ascii: "e")
      {
        // A sign of the exponent.
      } else if !isNumeric(byte) || (byte == UInt8(ascii: ".") && hasPoint) {
        throw LineFault(.number, at: position, "invalid number")
      } else if byte == UInt8(ascii: ".") {
        hasPoint = true
      }
      position += 1
    }
    let invalid = LineFault(.number, at: position, "invalid number")
    let markCount = (isNegative ? 1 : 0) + (hasPoint ? 1 : 0) + (suffix == UInt8(ascii: "i") ? 1 : 0)
    if position - start <= markCount { throw invalid }
    if suffix == 0 {
      let text = unsafe UnsafeBufferPointer(rebasing: line[start..<position])
      guard let value = unsafe floats.parse(text), value.isFinite else {
        throw LineFault(.number, at: position, "invalid float")
      }
      return (.float(value), position)
    }
    if unsafe hasPoint || isScientific || line[position - 1] != suffix { throw invalid }
    let text = unsafe UnsafeBufferPointer(rebasing: line[start..<position - 1])
    if suffix == UInt8(ascii: "i") {
      return unsafe (.integer(try signed(text, at: position, .number)), position)
    }
    if isNegative { throw invalid }
    return unsafe (.unsigned(try unsigned(text, at: position)), position)
  }

  /// An optional `-` and digits as a number; `reason` chooses the message.
  static func signed(
    _ text: UnsafeBufferPointer<UInt8>, at offset: Int, _ reason: RejectReason
  ) throws(LineFault) -> Int64 {
    let isNegative = unsafe text.first == UInt8(ascii: "-")
    var (value, isOver): (Int64, Bool) = (0, false)
    for index in (isNegative ? 1 : 0)..<text.count {
      let byte = unsafe text[index]
      let digit = Int64(byte &- UInt8(ascii: "0"))
      let (tens, isOverByTen) = value.multipliedReportingOverflow(by: 10)
      let (sum, isOverByDigit) = tens.addingReportingOverflow(isNegative ? -digit : digit)
      value = sum
      isOver = isOver || isOverByTen || isOverByDigit
    }
    let isEmpty = text.count == (isNegative ? 1 : 0)
    if !isOver && !isEmpty { return value }
    let digits = unsafe String(decoding: text.prefix(Reject.textByteCountMax), as: UTF8.self)
    let fault =
      "strconv.ParseInt: parsing \"\(digits)\": \(isEmpty ? "invalid syntax" : "value out of range")"
    throw LineFault(
      reason, at: offset, reason == .timestamp ? fault : "unable to parse integer \(digits): \(fault)")
  }

  private static func unsigned(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) throws(LineFault) -> UInt64
  {
    var (value, isOver): (UInt64, Bool) = (0, false)
    for index in 0..<text.count {
      let byte = unsafe text[index]
      let (tens, isOverByTen) = value.multipliedReportingOverflow(by: 10)
      let (sum, isOverByDigit) = tens.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
      value = sum
      isOver = isOver || isOverByTen || isOverByDigit
    }
    if !isOver { return value }
    let digits = unsafe String(decoding: text.prefix(Reject.textByteCountMax), as: UTF8.self)
    throw LineFault(
      .number, at: offset,
      "unable to parse unsigned \(digits): strconv.ParseUint: parsing \"\(digits)\": value out of range")
  }

  /// Scans a boolean up to a comma, a space or the line's end.
  static func scanBoolean(
    _ line: UnsafeBufferPointer<UInt8>, from start: Int
  ) throws(LineFault) -> (value: LineValue, end: Int) {
    let first = unsafe line[start] | 0x20
    guard unsafe line[start] >= 0x40, first == UInt8(ascii: "t") || first == UInt8(ascii: "f") else {
      throw LineFault(.syntax, at: start, "invalid boolean")
    }
    var end = start + 1
    while unsafe end < line.count && line[end] != Escaping.comma && line[end] != Escaping.space { end += 1 }
    guard let value = unsafe boolean(UnsafeBufferPointer(rebasing: line[start..<end])) else {
      throw LineFault(.syntax, at: end, "invalid boolean")
    }
    return (.boolean(value), end)
  }

  /// The boolean that all the text spells: one of ten.
  static func boolean(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
    var word: UInt64 = 0
    if text.count > 5 { return nil }
    for index in 0..<text.count { word = unsafe word << 8 | UInt64(text[index]) }
    switch word {
    case 0x74, 0x54, 0x74_7275_65, 0x54_7275_65, 0x54_5255_45: return true  // t T true True TRUE
    case 0x66, 0x46, 0x66_616c_7365, 0x46_616c_7365, 0x46_414c_5345: return false  // f F false False FALSE
    default: return nil
    }
  }
}
