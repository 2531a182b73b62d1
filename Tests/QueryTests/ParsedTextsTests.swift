import Testing

@testable import Query

@Suite("Parsed texts")
struct ParsedTextsTests {
  @Test("a text has the statements that parsing it gives, the second time too")
  func same() throws {
    let texts = ParsedTexts()
    let asked = ["SELECT max(a) FROM m WHERE time > now() - 1h", "SHOW DATABASES; SELECT b FROM m", ""]
    for text in asked + asked {
      #expect(try texts.statements(of: text, parameters: [:]) == Parser.parse(text))
    }
  }

  @Test("texts of one place do not answer for each other, and no more are remembered than there are places")
  func bounded() throws {
    let texts = ParsedTexts()
    for number in 0..<ParsedTexts.placeCount * 20 {
      let text = "SELECT a FROM m WHERE time > \(number)"
      #expect(try texts.statements(of: text, parameters: [:]) == Parser.parse(text))
    }
    #expect(texts.count <= ParsedTexts.placeCount)
    #expect(texts.count > ParsedTexts.placeCount / 2)
  }

  @Test("a text at the limit is remembered, a longer one and one that does not parse are not")
  func limit() throws {
    let start = "SELECT a FROM "
    let longest = start + String(repeating: "m", count: ParsedTexts.byteCountMax - start.utf8.count)
    let texts = ParsedTexts()
    _ = try texts.statements(of: longest + "m", parameters: [:])
    #expect(throws: QueryParseError.self) { try texts.statements(of: "SELECT FROM", parameters: [:]) }
    #expect(texts.count == 0)
    _ = try texts.statements(of: longest, parameters: [:])
    #expect(texts.count == 1)
  }

  @Test("a text with bind parameters has those of each time")
  func parameters() throws {
    let texts = ParsedTexts()
    let text = "SELECT a FROM m WHERE b = $x"
    for value in ["1", "2"] {
      let parsed = try texts.statements(of: text, parameters: ["x": value])
      #expect(try parsed == Parser.parse("SELECT a FROM m WHERE b = \(value)"))
    }
  }
}
