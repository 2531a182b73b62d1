/// Where bytes are not the JSON that was expected.
public struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Byte in the text.
  public var offset: Int
  public var detail: String

  public var description: String { "byte \(offset): \(detail)" }
}

/// A JSON number, as its bytes say it.
package struct JSONNumber {
  /// The value as it is where it is whole and fits, whatever its sign.
  package var integer: Int64?
  package var unsigned: UInt64?
  package var double: Double
}

/// Reads JSON (RFC 8259) value by value, without a tree. Depth of what is skipped is bounded.
package struct JSONReader {
  private let bytes: [UInt8]
  private var offset = 0
  private static let depthMax = 128

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package func error(_ detail: String) -> JSONSyntaxError { JSONSyntaxError(offset: offset, detail: detail) }

  /// Whether only blanks are left.
  package var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return offset == bytes.count
    }
  }

  /// The first byte of the next value.
  package mutating func peek() throws(JSONSyntaxError) -> UInt8 {
    skipBlanks()
    guard offset < bytes.count else { throw error("the text ends early") }
    return bytes[offset]
  }

  /// Calls `body` with each key; it must read the value.
  package mutating func readObject(
    _ body: (String, inout JSONReader) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    try expect(UInt8(ascii: "{"))
    if try take(UInt8(ascii: "}")) { return }
    repeat {
      let key = try readString()
      try expect(UInt8(ascii: ":"))
      try body(key, &self)
    } while try take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  /// Calls `body` for each element; it must read it.
  package mutating func readArray(
    _ body: (inout JSONReader) throws(JSONSyntaxError) -> Void
  ) throws(JSONSyntaxError) {
    try expect(UInt8(ascii: "["))
    if try take(UInt8(ascii: "]")) { return }
    repeat { try body(&self) } while try take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
  }

  package mutating func readString() throws(JSONSyntaxError) -> String {
    var out: [UInt8] = []
    try readString(into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Appends a string's bytes, unescaped.
  package mutating func readString(into out: inout [UInt8]) throws(JSONSyntaxError) {
    try expect(UInt8(ascii: "\""))
    while offset < bytes.count {
      let start = offset
      while offset < bytes.count, bytes[offset] != UInt8(ascii: "\""), bytes[offset] != UInt8(ascii: "\\") {
        offset += 1
      }
      out.append(contentsOf: bytes[start..<offset])
      guard offset < bytes.count else { break }
      offset += 1
      if bytes[offset - 1] == UInt8(ascii: "\"") { return }
      try readEscape(into: &out)
    }
    throw error("a string has no end")
  }

  private mutating func readEscape(into out: inout [UInt8]) throws(JSONSyntaxError) {
    guard offset < bytes.count else { throw error("a string has no end") }
    offset += 1
    switch bytes[offset - 1] {
    case UInt8(ascii: "n"): out.append(0x0a)
    case UInt8(ascii: "r"): out.append(0x0d)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0c)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(bytes[offset - 1])
    case UInt8(ascii: "u"):
      var code = try readHex()
      if code >> 10 == 0x36, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
        bytes[offset + 1] == UInt8(ascii: "u")
      {
        offset += 2
        let low = try readHex()
        code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
      }
      let scalar = Unicode.Scalar(code) ?? "\u{fffd}"
      out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default: throw error("no such escape")
    }
  }

  private mutating func readHex() throws(JSONSyntaxError) -> UInt32 {
    guard offset + 4 <= bytes.count,
      let code = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
    else { throw error("\\u needs four hexadecimal digits") }
    offset += 4
    return code
  }

  package mutating func readNumber() throws(JSONSyntaxError) -> JSONNumber {
    _ = try peek()
    let start = offset
    var (magnitude, isWhole, hasDigits) = (UInt64(0), true, false)
    let isNegative = bytes[offset] == UInt8(ascii: "-")
    if isNegative { offset += 1 }
    scan: while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        hasDigits = true
        let (product, isTooLong) = magnitude.multipliedReportingOverflow(by: 10)
        let (sum, isTooMuch) = product.addingReportingOverflow(UInt64(bytes[offset] & 15))
        magnitude = sum
        if isTooLong || isTooMuch { isWhole = false }
      case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
        isWhole = false
      default: break scan
      }
      offset += 1
    }
    guard hasDigits else { throw error("expected a value") }
    if isWhole {
      let integer =
        isNegative
        ? (magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil) : Int64(exactly: magnitude)
      let double = isNegative ? -Double(magnitude) : Double(magnitude)
      return JSONNumber(integer: integer, unsigned: isNegative ? nil : magnitude, double: double)
    }
    guard let double = Double(String(decoding: bytes[start..<offset], as: UTF8.self)) else {
      throw error("not a number")
    }
    return JSONNumber(integer: nil, unsigned: nil, double: double)
  }

  package mutating func readBoolean() throws(JSONSyntaxError) -> Bool {
    if try takeWord("true") { return true }
    if try takeWord("false") { return false }
    throw error("expected true or false")
  }

  /// Moves past a value of any kind.
  package mutating func skipValue() throws(JSONSyntaxError) { try skipValue(depth: 0) }

  private mutating func skipValue(depth: Int) throws(JSONSyntaxError) {
    guard depth < Self.depthMax else { throw error("nested deeper than \(Self.depthMax)") }
    switch try peek() {
    case UInt8(ascii: "{"):
      try readObject { _, reader throws(JSONSyntaxError) in try reader.skipValue(depth: depth + 1) }
    case UInt8(ascii: "["):
      try readArray { reader throws(JSONSyntaxError) in try reader.skipValue(depth: depth + 1) }
    case UInt8(ascii: "\""):
      var ignored: [UInt8] = []
      try readString(into: &ignored)
    case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try readBoolean()
    case UInt8(ascii: "n"): guard try takeWord("null") else { throw error("expected null") }
    default: _ = try readNumber()
    }
  }

  // MARK: Bytes

  private mutating func skipBlanks() {
    while offset < bytes.count, bytes[offset] <= 0x20 { offset += 1 }
  }

  private mutating func take(_ byte: UInt8) throws(JSONSyntaxError) -> Bool {
    guard try peek() == byte else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(JSONSyntaxError) {
    guard try take(byte) else { throw error("expected \"\(Unicode.Scalar(byte))\"") }
  }

  private mutating func takeWord(_ word: String) throws(JSONSyntaxError) -> Bool {
    _ = try peek()
    let end = offset + word.utf8.count
    guard end <= bytes.count, bytes[offset..<end].elementsEqual(word.utf8) else { return false }
    offset = end
    return true
  }
}
