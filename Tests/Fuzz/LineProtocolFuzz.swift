// Built by `deploy/fuzz` in one module with Sources/LineProtocol and Tests/LineProtocolTests/ParsedPoints.swift; no target of the
// package holds it. Input: one byte of options, one that says where the stream is cut, then the stream.

/// Parser → batch → printer → parser, and framer → parser: what goes in comes out the same.
@c(LLVMFuzzerTestOneInput) public func fuzzLineProtocol(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let data, count >= 2 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: data + 2, count: count - 2))
  let precisions = Precision.allCases
  let options = LineParser.Options(
    precision: precisions[Int(data[0] & 7) % precisions.count],
    carriageReturn: data[0] & 8 == 0 ? .strict : .strip, lineByteCountMax: data[0] & 16 == 0 ? 1 << 20 : 48)

  // Lines that are known by now give the same as at first sight.
  let parser = LineParser(vocabulary: Vocabulary(hashKey: 1), options: options)
  let whole = parseWhole(bytes, options, parser: parser)
  precondition(parseWhole(bytes, options, parser: parser) == whole, "known lines differ")

  // Cut in two by the framer; an acknowledgement may cut lines where the parser alone would not.
  if !contains(bytes, "# ack ") {
    let cut = Int(data[1]) * (bytes.count + 1) / 256
    let framed = parseFramed([bytes[..<cut], bytes[cut...]], options).0
    precondition(framed == whole, "framed: \(framed) whole: \(whole)")
  } else {
    _ = parseFramed([bytes[...], []], options)
  }
  var report = LineReport(options: options)
  var text: [UInt8] = []
  bytes.withUnsafeBytes { report.append($0, to: &text) }
  let objectCount = text.count { $0 == UInt8(ascii: "\n") }
  precondition(objectCount == whole.points.count + report.rejectCount, "report has \(objectCount) objects")

  for point in whole.points { checkPrinted(point) }
  return 0
}

/// What can be printed is parsed to the same point.
private func checkPrinted(_ point: Point) {
  let names = point.fields.keys.sorted { $0.lexicographicallyPrecedes($1) }
  let values = names.compactMap { point.fields[$0] }
  let writer = LineWriter(
    key: point.key, fields: zip(names, values).map { FieldKey(name: $0, type: $1.printed.type) })
  var line: [UInt8] = []
  let time = point.timestamp == LineParser.unset ? nil : point.timestamp
  guard writer.appendLine(timestamp: time, to: &line, value: { values[$0].printed }) else { return }
  let back = parseWhole(line, LineParser.Options(carriageReturn: .strict, lineByteCountMax: 1 << 24))
  precondition(
    back.points == [point] && back.rejects.isEmpty,
    "\(String(decoding: line, as: UTF8.self)) from \(point): \(back)")
}

extension Value {
  fileprivate var printed: LinePrinter.Value {
    switch self {
    case .float(let bits): .init(type: .float, word: bits)
    case .integer(let value): .init(type: .integer, word: UInt64(bitPattern: value))
    case .unsigned(let value): .init(type: .unsigned, word: value)
    case .boolean(let value): .init(type: .boolean, word: value ? 1 : 0)
    case .string(let bytes): .init(string: bytes[...])
    }
  }
}

private func contains(_ bytes: [UInt8], _ text: StaticString) -> Bool {
  let wanted = Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
}
