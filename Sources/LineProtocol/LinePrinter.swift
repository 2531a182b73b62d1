/// Writes points as line protocol.
///
/// What the parser made is written so that the parser makes the same of it. Line protocol cannot write every name (none that
/// ends in a backslash, holds a bare newline, or is an empty measurement): `line` then says so, and writes nothing.
public enum LinePrinter {
  /// One field's value: its type and its word, as in `LineBatch`; a string's bytes come apart.
  public struct Value {
    /// The field's type.
    public private(set) var type: FieldType
    var word: UInt64
    var bytes: ArraySlice<UInt8>

    /// A number or boolean.
    public init(type: FieldType, word: UInt64) {
      self.type = type
      self.word = word
      bytes = []
    }

    /// A string's bytes.
    public init(string: ArraySlice<UInt8>) {
      type = .string
      word = 0
      bytes = string
    }
  }

  /// Appends a measurement and tags, escaped: what stands before a line's first space.
  public static func appendKey(_ key: SeriesKey, to output: inout [UInt8]) {
    let parts = key.parts
    appendMeasurement(parts.measurement, to: &output)
    for tag in parts.tags {
      output.append(Escaping.comma)
      appendTag(tag.key, to: &output)
      output.append(Escaping.equals)
      appendTag(tag.value, to: &output)
    }
  }

  /// Appends a measurement's name.
  public static func appendMeasurement(_ name: some Collection<UInt8>, to output: inout [UInt8]) {
    append(name, to: &output, escapesEquals: false, isName: true)
  }

  /// Appends a tag's key or value.
  public static func appendTag(_ text: some Collection<UInt8>, to output: inout [UInt8]) {
    append(text, to: &output, escapesEquals: true, isName: false)
  }

  /// Appends a field's name.
  public static func appendFieldName(_ name: some Collection<UInt8>, to output: inout [UInt8]) {
    append(name, to: &output, escapesEquals: true, isName: true)
  }

  @inline(__always) private static func append(
    _ text: some Collection<UInt8>, to output: inout [UInt8], escapesEquals: Bool, isName: Bool
  ) {
    var isAfterBackslash = false
    for byte in text {
      var isEscaped =
        byte == Escaping.comma || byte == Escaping.space || (byte == Escaping.equals && escapesEquals)
      // In names the backslash before these would be read as an escape, and lost.
      if isName && isAfterBackslash && (byte == Escaping.quote || byte == Escaping.equals) {
        isEscaped = true
      }
      if isEscaped { output.append(Escaping.backslash) }
      output.append(byte)
      isAfterBackslash = byte == Escaping.backslash
    }
  }

  /// Appends a value as a line holds it: `1.5`, `1i`, `1u`, `true`, `"text"`.
  ///
  /// Floats are written in the shortest form that reads back, with `.0` or an exponent. Those that are not finite have no form
  /// in line protocol: nothing is written, and the answer is `false`.
  @discardableResult public static func appendValue(_ value: Value, to output: inout [UInt8]) -> Bool {
    switch value.type {
    case .float:
      let number = Double(bitPattern: value.word)
      guard number.isFinite else { return false }
      output.append(contentsOf: number.description.utf8)
    case .integer:
      appendInteger(Int64(bitPattern: value.word), to: &output)
      output.append(UInt8(ascii: "i"))
    case .unsigned:
      appendMagnitude(value.word, to: &output)
      output.append(UInt8(ascii: "u"))
    case .boolean:
      output.append(contentsOf: value.word == 0 ? "false".utf8 : "true".utf8)
    case .string:
      output.append(Escaping.quote)
      for byte in value.bytes {
        if byte == Escaping.quote || byte == Escaping.backslash { output.append(Escaping.backslash) }
        output.append(byte)
      }
      output.append(Escaping.quote)
    }
    return true
  }

  /// Appends decimal digits.
  public static func appendInteger(_ value: Int64, to output: inout [UInt8]) {
    if value < 0 { output.append(UInt8(ascii: "-")) }
    appendMagnitude(value.magnitude, to: &output)
  }

  private static func appendMagnitude(_ value: UInt64, to output: inout [UInt8]) {
    let start = output.count
    var rest = value
    repeat {
      output.append(UInt8(ascii: "0") + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    output[start...].reverse()
  }
}
