import Query
import Testing
import varve

@Suite("Query command")
struct QueryCommandTests {
  @Test(
    "a parse error shows its line with a caret under the column",
    arguments: [
      ("SELEC * FROM cpu", 0, "  SELEC * FROM cpu\n  ^"),
      ("SELECT * FRM cpu", 9, "  SELECT * FRM cpu\n           ^"),
      ("SELECT *\n\tFORM x;\nx", 10, "  \tFORM x;\n  \t^"), ("é x", 3, "  é x\n    ^"),
      ("ab", 99, "  ab\n    ^"),
    ])
  func carets(text: String, offset: Int, expected: String) {
    #expect(caret(under: QueryParseError(message: "", offset: offset), in: text) == expected)
  }

  @Test("a failure shows its line with a caret where its place is known, and is its words alone where it is not")
  func places() {
    let text = "SELECT 1;\nSELECT foo(v)"
    #expect(described("no foo", at: "line 2, char 8", in: text) == "no foo at line 2, char 8\n  SELECT foo(v)\n         ^")
    #expect(described("no foo", at: nil, in: text) == "no foo")
    #expect(described("no foo", at: "line 9, char 8", in: text) == "no foo")
    #expect(described("no foo", at: "line 0, char 0", in: text) == "no foo")
  }

  @Test(
    "parameters are numbers and booleans where they look like it, else strings",
    arguments: [
      ("1", "1"), ("-1.5e3", "-1500.0"), ("true", "true"), ("a", "'a'"), ("it's", "'it\\'s'"), ("1.", "'1.'"),
      ("", "''"),
      ("1h", "'1h'"), ("nan", "'nan'"), ("{\"duration\":\"1h\"}", "1h"), ("{\"identifier\":\"a b\"}", "\"a b\""),
      ("{\"regex\":\"a/b\"}", "/a\\/b/"),
    ])
  func parameters(value: String, literal: String) throws {
    var arguments = Arguments(flags: [])
    arguments.set("param", to: ["x=\(value)"])
    let all = try BindParameter.all(arguments)
    let json = literal.first == "'" ? "\"\(value)\"" : value
    #expect(BindParameter.json(all) == "{\"x\":\(json)}")
    #expect(try BindParameters.literals(json: Array(BindParameter.json(all).utf8)) == ["x": literal])
  }
}

@Suite("Parse command")
struct ParseCommandTests {
  @Test("a refused line makes the status 1, good lines 0, misuse 2")
  func statuses() {
    #expect(CommandLineTool().run(["parse", "/nonexistent"], environment: [:]) == 1)
    #expect(CommandLineTool().run(["parse", "--precision", "m", "--crlf", "no"], environment: [:]) == 2)
  }
}
