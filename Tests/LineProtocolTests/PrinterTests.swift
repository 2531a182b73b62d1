import LineProtocol
import TestSupport
import Testing

@Suite("Printer")
struct PrinterTests {
  /// Prints a row; `nil` if it cannot be written.
  private func line(_ point: Point, _ keys: [FieldKey]) -> [UInt8]? {
    let writer = LineWriter(key: point.key, fields: keys)
    var out: [UInt8] = []
    let isWritten = writer.appendLine(timestamp: point.timestamp, to: &out) { index in
      switch point.fields[keys[index].name] {
      case .float(let bits)?: .init(type: .float, word: bits)
      case .integer(let value)?: .init(type: .integer, word: UInt64(bitPattern: value))
      case .unsigned(let value)?: .init(type: .unsigned, word: value)
      case .boolean(let value)?: .init(type: .boolean, word: value ? 1 : 0)
      case .string(let bytes)?: .init(string: bytes[...])
      case nil: nil
      }
    }
    return isWritten ? out : nil
  }

  private func name(_ random: inout SplitMix64) -> [UInt8] {
    let parts = ["a", "b", "time", "é", "\\", ",", "=", " ", "\"", "#", "\t", "x", "日本", "\n"]
    let count = Int.random(in: 1...4, using: &random)
    return (0..<count).flatMap { _ in Array((parts.randomElement(using: &random) ?? "a").utf8) }
  }

  @Test(
    "what is printed is parsed to the same point; many names can be printed", .tags(.property),
    arguments: 1...6 as ClosedRange<UInt64>)
  func roundTrip(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let parser = LineParser(vocabulary: Vocabulary(), options: .init(carriageReturn: .strict))
    var printedCount = 0
    for _ in 0..<400 {
      var (tags, fields, keys) = ([[UInt8]: [UInt8]](), [[UInt8]: Value](), [FieldKey]())
      for _ in 0..<Int.random(in: 0...3, using: &random) { tags[name(&random)] = name(&random) }
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let value: Value =
          switch Int.random(in: 0..<5, using: &random) {
          case 0: .float(Double.random(in: -1e9...1e9, using: &random).bitPattern)
          case 1: .integer(Int64(bitPattern: random.next()))
          case 2: .unsigned(random.next())
          case 3: .boolean(Bool.random(using: &random))
          default: .string(name(&random) + name(&random))
          }
        let field = name(&random)
        if fields.updateValue(value, forKey: field) == nil {
          keys.append(FieldKey(name: field, type: .float))
        }
      }
      for index in keys.indices {
        switch fields[keys[index].name] {
        case .integer?: keys[index].type = .integer
        case .unsigned?: keys[index].type = .unsigned
        case .boolean?: keys[index].type = .boolean
        case .string?: keys[index].type = .string
        default: break
        }
      }
      let key = SeriesKey(measurement: name(&random), tags: tags.map { ($0.key, $0.value) })
      let point = Point(
        key: key, fields: fields,
        timestamp: Int64.random(in: -9_000_000_000_000_000_000...9_000_000_000_000_000_000, using: &random))
      guard let text = line(point, keys) else { continue }
      printedCount += 1
      let outcome = parseWhole(text, .init(), parser: parser)
      if outcome.points != [point] || !outcome.rejects.isEmpty {
        Issue.record(
          "seed \(seed): \(String(decoding: text, as: UTF8.self).debugDescription) from \(point): \(outcome)")
        return
      }
    }
    #expect(printedCount > 40, "seed \(seed): only \(printedCount) of 400 were printed")
  }

  @Test(
    "names are escaped as they must be",
    arguments: [
      ("m", "m"), ("a b", "a\\ b"), ("a,b", "a\\,b"), ("a=b", "a=b"), ("a\"b", "a\"b"), ("a\\b", "a\\b"),
      ("a\\,b", "a\\\\,b"),
      ("a\\ b", "a\\\\ b"), ("a\\=b", "a\\\\=b"), (" #", "\\ #"),
    ])
  func measurement(name: String, text: String) {
    let point = Point(
      key: SeriesKey(measurement: Array(name.utf8), tags: []), fields: [Array("f".utf8): .boolean(true)],
      timestamp: 1)
    let out = line(point, [FieldKey(name: Array("f".utf8), type: .boolean)])
    #expect(out.map { String(decoding: $0, as: UTF8.self) } == text + " f=true 1\n")
  }

  @Test("what line protocol cannot write is not written", arguments: ["", "a\\", "#a", "\ta", "a\nb"])
  func unprintable(name: String) {
    let point = Point(
      key: SeriesKey(measurement: Array(name.utf8), tags: []), fields: [Array("f".utf8): .boolean(true)],
      timestamp: 1)
    #expect(line(point, [FieldKey(name: Array("f".utf8), type: .boolean)]) == nil)
  }

  @Test("a float that is not finite is left out, and a line of nothing else is none")
  func notFinite() {
    let key = SeriesKey(measurement: Array("m".utf8), tags: [])
    let fields = ["a", "b"].map { FieldKey(name: Array($0.utf8), type: .float) }
    let writer = LineWriter(key: key, fields: fields)
    var out: [UInt8] = []
    let values: [Double] = [.nan, 0.1]
    #expect(writer.appendLine(timestamp: nil, to: &out) { .init(type: .float, word: values[$0].bitPattern) })
    #expect(String(decoding: out, as: UTF8.self) == "m b=0.1\n")
    #expect(
      !writer.appendLine(timestamp: 1, to: &out) { _ in .init(type: .float, word: Double.infinity.bitPattern)
      })
    #expect(String(decoding: out, as: UTF8.self) == "m b=0.1\n")
  }
}
