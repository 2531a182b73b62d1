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
      var isEscaped = byte == Escaping.comma || byte == Escaping.space || (byte == Escaping.equals && escapesEquals)
      // In names the backslash before these would be read as an escape, and lost.
      if isName && isAfterBackslash && (byte == Escaping.quote || byte == Escaping.equals) { isEscaped = true }
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

/// Writes the rows of one series, whose names are escaped and checked once.
public struct LineWriter {
  private let key: [UInt8]
  private let names: [[UInt8]]
  private let isExact: Bool

  /// `fields` are those that rows may have.
  public init(key: SeriesKey, fields: [FieldKey]) {
    var bytes: [UInt8] = []
    LinePrinter.appendKey(key, to: &bytes)
    self.key = bytes
    names = fields.map { field in
      var name: [UInt8] = []
      LinePrinter.appendFieldName(field.name, to: &name)
      return name
    }
    isExact = Self.isExact(key, bytes, fields, names)
  }

  /// Appends one line and its newline. `value` gives the value of the field with that index, `nil` where the row has none.
  ///
  /// Nothing is appended, and the answer is `false`, where the names cannot be written in line protocol or no field has a
  /// value that can.
  public func appendLine(
    timestamp: Int64?, to output: inout [UInt8], value: (Int) -> LinePrinter.Value?
  ) -> Bool {
    if !isExact { return false }
    let start = output.count
    output.append(contentsOf: key)
    var separator = Escaping.space
    for index in names.indices {
      guard let value = value(index) else { continue }
      let mark = output.count
      output.append(separator)
      output.append(contentsOf: names[index])
      output.append(Escaping.equals)
      if LinePrinter.appendValue(value, to: &output) {
        separator = Escaping.comma
      } else {
        output.removeSubrange(mark...)
      }
    }
    if separator == Escaping.space {
      output.removeSubrange(start...)
      return false
    }
    if let timestamp {
      output.append(Escaping.space)
      LinePrinter.appendInteger(timestamp, to: &output)
    }
    output.append(Escaping.newline)
    return true
  }

  /// Whether names read back as they are. Names that hold a backslash or a newline, are empty or `time`, and what begins
  /// a line differently, are tried all together; others do.
  private static func isExact(_ key: SeriesKey, _ bytes: [UInt8], _ fields: [FieldKey], _ names: [[UInt8]]) -> Bool {
    // A blank that begins the first field is skipped.
    guard let first = bytes.first, !names.contains(where: { $0.first.map(Escaping.isBlank) ?? true }) else { return false }
    let parts = key.parts
    let arePlain =
      isPlain(parts.measurement) && parts.tags.allSatisfy { isPlain($0.key) && isPlain($0.value) }
      && fields.allSatisfy { isPlain($0.name[...]) }
    if arePlain && first != UInt8(ascii: "#") && !Escaping.isBlank(first) { return true }
    var line = bytes
    for (index, name) in names.enumerated() {
      line.append(index == 0 ? Escaping.space : Escaping.comma)
      line.append(contentsOf: name)
      // A string with a newline shows whether quotes are still understood.
      line.append(contentsOf: "=\"\n\"".utf8)
    }
    line.append(Escaping.newline)
    let batch = LineBatch()
    let parser = LineParser(vocabulary: Vocabulary(), options: .init(carriageReturn: .strict))
    unsafe line.withUnsafeBytes { _ = unsafe parser.parse($0, now: 0, into: batch) }
    return batch.count == 1 && batch.rejectCount == 0
      && parser.vocabulary.seriesKey(batch.series[0]) == key
      && parser.vocabulary.fieldList(batch.fieldLists[0]) == fields.map { FieldKey(name: $0.name, type: .string) }
  }

  private static func isPlain(_ name: ArraySlice<UInt8>) -> Bool {
    !name.isEmpty && !name.contains(Escaping.backslash) && !name.contains(Escaping.newline)
      && !name.elementsEqual("time".utf8)
  }
}
