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

  /// What lines of the series begin with; `nil` where line protocol cannot write its names, or those of the fields, so that they read back
  /// as they are.
  package var head: [UInt8]? { isExact ? key : nil }

  /// Whether names read back as they are. Names that hold a backslash or a newline, are empty or `time`, and what begins
  /// a line differently, are tried all together; others do.
  private static func isExact(_ key: SeriesKey, _ bytes: [UInt8], _ fields: [FieldKey], _ names: [[UInt8]])
    -> Bool
  {
    // A blank that begins the first field is skipped.
    guard let first = bytes.first, !names.contains(where: { $0.first.map(Escaping.isBlank) ?? true }) else {
      return false
    }
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
      && parser.vocabulary.fieldList(batch.fieldLists[0])
        == fields.map { FieldKey(name: $0.name, type: .string) }
  }

  private static func isPlain(_ name: ArraySlice<UInt8>) -> Bool {
    !name.isEmpty && !name.contains(Escaping.backslash) && !name.contains(Escaping.newline)
      && !name.elementsEqual("time".utf8)
  }
}
