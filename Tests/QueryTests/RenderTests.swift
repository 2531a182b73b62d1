import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// Values of every type, with nulls and with what each format must escape.
private let mixed = result(
  0,
  ResultSeries(
    "cpu", times: [1_000_000_000, 1_500_000_001, 1_500_000_002, 2_000_000_000],
    [
      "b": [true, nil, nil, nil], "host": ["a", "b", "b", "a"], "i": [3, nil, nil, nil],
      "r": ["x y", nil, nil, "x y"], "s": ["a,b\"<&>", nil, "", nil],
      "v": [1.0, 1e21, 123456789012345680000.0, 1.5e-7],
    ]))
private let grouped = result(
  1,
  ResultSeries(
    "cpu", tags: [("host", "a"), ("r", "x y")], times: [1_000_000_000, 2_000_000_000], ["v": [1.0, 1.5e-7]]),
  ResultSeries("cpu", tags: [("host", "b"), ("r", "")], times: [1_500_000_001], ["v": [nil]]))
private let listed = result(2, ResultSeries("databases", times: nil, ["name": ["d", "e"]]))
private let nothing = result(3)

@Suite("JSON documents")
struct JSONRendererTests {
  // Answers of InfluxDB 1.6.7 to the same points.
  @Test("a document is InfluxDB's, byte for byte")
  func whole() {
    #expect(
      rendered([mixed], .json)
        == #"{"results":[{"statement_id":0,"series":[{"name":"cpu","columns":["time","b","host","i","r","s","v"],"values":[["1970-01-01T00:00:01Z",true,"a",3,"x y","a,b\"\u003c\u0026\u003e",1],["1970-01-01T00:00:01.500000001Z",null,"b",null,null,null,1e+21],["1970-01-01T00:00:01.500000002Z",null,"b",null,null,"",123456789012345680000],["1970-01-01T00:00:02Z",null,"a",null,"x y",null,1.5e-7]]}]}]}"#
        + "\n")
  }

  @Test("epoch turns times into integers, truncated; group tags are an object")
  func epoch() {
    #expect(
      rendered([grouped, listed, nothing], .json, RenderOptions(precision: .milliseconds))
        == #"{"results":[{"statement_id":1,"series":[{"name":"cpu","tags":{"host":"a","r":"x y"},"columns":["time","v"],"values":[[1000,1],[2000,1.5e-7]]},{"name":"cpu","tags":{"host":"b","r":""},"columns":["time","v"],"values":[[1500,null]]}]},{"statement_id":2,"series":[{"name":"databases","columns":["name"],"values":[["d"],["e"]]}]},{"statement_id":3}]}"#
        + "\n")
  }

  @Test("pretty is indented by four spaces")
  func pretty() {
    var options = RenderOptions()
    options.isPretty = true
    var failed = result(1)
    failed.error = "no \"x\""
    failed.messages = [ResultMessage(level: "warning", text: "w")]
    #expect(
      rendered(
        [result(0, ResultSeries("m", tags: [("h", "a")], times: [1], ["v": [1.5]])), failed], .json, options)
          == """
          {
              "results": [
                  {
                      "statement_id": 0,
                      "series": [
                          {
                              "name": "m",
                              "tags": {
                                  "h": "a"
                              },
                              "columns": [
                                  "time",
                                  "v"
                              ],
                              "values": [
                                  [
                                      "1970-01-01T00:00:00.000000001Z",
                                      1.5
                                  ]
                              ]
                          }
                      ]
                  },
                  {
                      "statement_id": 1,
                      "messages": [
                          {
                              "level": "warning",
                              "text": "w"
                          }
                      ],
                      "error": "no \\"x\\""
                  }
              ]
          }

          """)
  }

  @Test("chunks are documents of their own, partial until the last")
  func chunks() {
    var options = RenderOptions(precision: .seconds)
    options.chunkRowCount = 1
    #expect(
      rendered([grouped, nothing], .json, options) == """
        {"results":[{"statement_id":1,"series":[{"name":"cpu","tags":{"host":"a","r":"x y"},"columns":["time","v"],"values":[[1,1]],"partial":true}],"partial":true}]}
        {"results":[{"statement_id":1,"series":[{"name":"cpu","tags":{"host":"a","r":"x y"},"columns":["time","v"],"values":[[2,1.5e-7]]}],"partial":true}]}
        {"results":[{"statement_id":1,"series":[{"name":"cpu","tags":{"host":"b","r":""},"columns":["time","v"],"values":[[1,null]]}]}]}
        {"results":[{"statement_id":3}]}

        """)
  }

  @Test("chunks of names are a document a measurement, unmarked; other lists are one document")
  func chunksOfLists() {
    var options = RenderOptions()
    options.chunkRowCount = 1
    var keys = result(
      0, ResultSeries("a", times: nil, ["tagKey": ["t", "u"]]), ResultSeries("b", times: nil, ["tagKey": ["t"]]))
    keys.chunking = .series
    var list = listed
    list.chunking = .whole
    #expect(
      rendered([keys, list], .json, options) == """
        {"results":[{"statement_id":0,"series":[{"name":"a","columns":["tagKey"],"values":[["t"],["u"]]}]}]}
        {"results":[{"statement_id":0,"series":[{"name":"b","columns":["tagKey"],"values":[["t"]]}]}]}
        {"results":[{"statement_id":2,"series":[{"name":"databases","columns":["name"],"values":[["d"],["e"]]}]}]}

        """)
  }

  @Test("the list of results is never empty")
  func empty() {
    #expect(rendered([], .json) == "{\"results\":[{\"statement_id\":0}]}\n")
  }

  @Test("NaN and infinities are null, control bytes are escaped")
  func odd() {
    let series = ResultSeries(
      "m", times: nil, ["f": [.float(.nan), .float(-.infinity)], "s": ["\u{1}\n\t\u{2028}é", "\\"]])
    #expect(
      rendered([result(0, series)], .json).contains(#"[[null,"\u0001\n\t\u2028é"],[null,"\\"]]"#))
  }
}

@Suite("Rows for machines")
struct RowRendererTests {
  @Test("csv: one header a statement, empty string quoted, null empty, a blank line between")
  func csv() {
    #expect(
      rendered([mixed, grouped, nothing, listed], .csv) == """
        time,b,host,i,r,s,v
        1970-01-01T00:00:01Z,true,a,3,x y,"a,b""<&>",1
        1970-01-01T00:00:01.500000001Z,,b,,,,1e+21
        1970-01-01T00:00:01.500000002Z,,b,,,"",123456789012345680000
        1970-01-01T00:00:02Z,,a,,x y,,1.5e-7

        time,host,r,v
        1970-01-01T00:00:01Z,a,x y,1
        1970-01-01T00:00:02Z,a,x y,1.5e-7
        1970-01-01T00:00:01.500000001Z,b,,

        name
        d
        e

        """)
  }

  @Test("csv: name has a column only where a statement has several measurements")
  func csvNames() {
    let two = result(
      0, ResultSeries("cpu", times: [1], ["v": [1]]),
      ResultSeries("mem", times: [2], ["v": [2], "w": ["a\nb"]]))
    #expect(
      rendered([two], .csv, RenderOptions(precision: .nanoseconds))
        == "name,time,v,w\ncpu,1,1,\nmem,2,2,\"a\nb\"\n")
  }

  // The answer of InfluxDB 1.6.7 to the same query.
  @Test("InfluxDB's own csv: name, tags, integer times, no exponents")
  func influxCSV() {
    let answer = result(
      0,
      ResultSeries(
        "cpu", tags: [("host", "a"), ("r", "x y")], times: [1_000_000_000, 2_000_000_000],
        ["v": [1.0, 1.5e-7]]),
      ResultSeries(
        "cpu", tags: [("host", "b"), ("r", "")], times: [1_500_000_001, 1_500_000_002],
        ["v": [1e21, 123456789012345680000.0]]))
    let memory = result(1, ResultSeries("mem", times: [5], ["e": [""], "f": [2.0]]))
    #expect(
      rendered([answer, memory, nothing], .influxCSV) == """
        name,tags,time,v
        cpu,"host=a,r=x\\ y",1000000000,1
        cpu,"host=a,r=x\\ y",2000000000,0.00000015
        cpu,host=b,1500000001,1000000000000000000000
        cpu,host=b,1500000002,123456789012345680000

        name,tags,time,e,f
        mem,,5,,2

        """)
  }

  @Test("jsonl: one object a row")
  func jsonl() {
    #expect(
      rendered([grouped, listed], .jsonl) == """
        {"statement_id":1,"name":"cpu","tags":{"host":"a","r":"x y"},"time":"1970-01-01T00:00:01Z","v":1}
        {"statement_id":1,"name":"cpu","tags":{"host":"a","r":"x y"},"time":"1970-01-01T00:00:02Z","v":1.5e-7}
        {"statement_id":1,"name":"cpu","tags":{"host":"b","r":""},"time":"1970-01-01T00:00:01.500000001Z","v":null}
        {"statement_id":2,"name":"d"}
        {"statement_id":2,"name":"e"}

        """)
  }

  @Test("line: nulls left out, rows without a field too")
  func line() {
    #expect(
      rendered([mixed, grouped], .line) == #"""
        cpu b=true,host="a",i=3i,r="x y",s="a,b\"<&>",v=1 1000000000
        cpu host="b",v=1e+21 1500000001
        cpu host="b",s="",v=123456789012345680000 1500000002
        cpu host="a",r="x y",v=1.5e-7 2000000000
        cpu,host=a,r=x\ y v=1 1000000000
        cpu,host=a,r=x\ y v=1.5e-7 2000000000

        """#)
  }
}

@Suite("Rows for people")
struct TextRendererTests {
  private let wide = result(
    0,
    ResultSeries("m", tags: [("h", "日本")], times: [0, 1], ["v": [10.25, nil], "s": ["a|b\u{1b}", "né"]]))

  @Test("table: numbers to the right, control bytes shown, wide letters count two")
  func table() {
    #expect(
      rendered([wide, listed], .table) == """
        time                            h         v  s
        ──────────────────────────────  ────  ─────  ───────
        1970-01-01T00:00:00Z            日本  10.25  a|b\\x1b
        1970-01-01T00:00:00.000000001Z  日本         né

        name
        ────
        d
        e

        """)
  }

  @Test("markdown: bars escaped, numbers to the right")
  func markdown() {
    #expect(
      rendered([wide], .markdown, RenderOptions(precision: .nanoseconds)) == """
        | time | h    |     v | s        |
        | ---- | ---- | ----: | -------- |
        | 0    | 日本 | 10.25 | a\\|b\\x1b |
        | 1    | 日本 |       | né       |

        """)
  }

  @Test("vertical: a block a row")
  func vertical() {
    #expect(
      rendered([wide], .vertical, RenderOptions(precision: .nanoseconds)) == """
        Row 1:
        ──────
        time: 0
        h:    日本
        v:    10.25
        s:    a|b\\x1b

        Row 2:
        ──────
        time: 1
        h:    日本
        v:
        s:    né

        """)
  }
}

@Suite("Numbers and times as text")
struct ValueTextTests {
  @Test(
    "floats are Go's",
    arguments: [
      (0.0, "0"), (-0.0, "-0"), (1, "1"), (-2.5, "-2.5"), (0.1, "0.1"), (100, "100"),
      (1e20, "100000000000000000000"),
      (1e21, "1e+21"), (1.25e22, "1.25e+22"), (1e-6, "0.000001"), (1e-7, "1e-7"), (9.999e-7, "9.999e-7"),
      (123456.789, "123456.789"), (0.30000000000000004, "0.30000000000000004"),
      (Double.leastNonzeroMagnitude, "5e-324"),
      (1.7976931348623157e308, "1.7976931348623157e+308"), (1.0 / 3, "0.3333333333333333"),
      (9007199254740992, "9007199254740992"), (-0.001, "-0.001"), (12345678.9012345, "12345678.9012345"),
    ] as [(Double, String)])
  func floats(value: Double, text: String) {
    var out: [UInt8] = []
    out.appendFloat(value)
    #expect(String(decoding: out, as: UTF8.self) == text)
  }

  @Test("digits are the standard library's, from a thousandth to a thousand million", arguments: [UInt64(4), 5])
  func digits(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var failures: [Double] = []
    for round in 0..<40_000 {
      var value = Double(random.next() >> 11) / 9_007_199_254_740_992
      value *= [1, 0.01, 1e3, 1e6, 1e9][round % 5]
      // Means of integers, sums of decimals, fractions of two, and whatever comes.
      switch round % 4 {
      case 0: value = (value * 1_000).rounded() / Double(random.next() % 360 + 1)
      case 1: value = (value * 100).rounded() / 100 + 0.1
      case 2: value = (value * 512).rounded() / 512
      default: break
      }
      guard value > 1e-4, value < 1e15 else { continue }
      var out: [UInt8] = []
      out.appendFloat(value)
      let wanted = value.description.hasSuffix(".0") ? String(value.description.dropLast(2)) : value.description
      if String(decoding: out, as: UTF8.self) != wanted { failures.append(value) }
    }
    #expect(failures.isEmpty, "\(failures.prefix(5))")
  }

  @Test("integers of every length are written in full")
  func integers() {
    var value: UInt64 = 1
    for _ in 0..<20 {
      for number in [value, value &- 1, value &* 9 / 7, .max / value] {
        var out: [UInt8] = []
        out.appendDecimal(number)
        #expect(String(decoding: out, as: UTF8.self) == "\(number)")
      }
      value = value &* 10
    }
  }

  @Test("text of every byte, length and place is quoted as one string by another path is", arguments: 0..<20)
  func plainText(length: Int) throws {
    for byte in UInt8(0)...255 {
      for place in 0..<length {
        var text = [UInt8](repeating: UInt8(ascii: "x"), count: length)
        text[place] = byte
        var column = Column(key: FieldKey(name: [], type: .string))
        // Behind others, so that bytes before and after are not its own.
        column.bytes = [UInt8(ascii: "\"")] + text + [UInt8(ascii: "<")]
        column.values = [1 << 32 | UInt64(length)]
        column.presentCount = 1
        var (found, wanted): ([UInt8], [UInt8]) = ([], [])
        var result = StatementResult(statementID: 0)
        result.series = [ResultSeries(name: "m", columnNames: ["s"], timestamps: nil, columns: [column], rowCount: 1)]
        var renderer = ResultFormat.jsonl.makeRenderer(RenderOptions())
        renderer.append(result, into: &found)
        wanted = Array(#"{"statement_id":0,"name":"m","s":"#.utf8)
        wanted.appendJSONString(String(decoding: text, as: UTF8.self))
        #expect(found == wanted + Array("}\n".utf8))
        found = []
        renderer = ResultFormat.csv.makeRenderer(RenderOptions())
        renderer.append(result, into: &found)
        wanted = Array("s\n".utf8)
        wanted.appendCSVField(text)
        #expect(found == wanted + [0x0a])
      }
    }
  }

  @Test("every float reads back, and is as short as the standard library's", arguments: [UInt64(1), 2, 3])
  func readsBack(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
    var failures: [Double] = []
    for round in 0..<20_000 {
      var value = Double(bitPattern: next())
      // Half of them as metrics are: few decimals.
      if round % 2 == 0 {
        value = Double(Int64(bitPattern: next()) >> 30) / [1, 10, 100, 1e4, 1e6][round % 5]
      }
      if !value.isFinite { continue }
      var out: [UInt8] = []
      out.appendFloat(value)
      let digits = DecimalDigits(value)
      if Double(String(decoding: out, as: UTF8.self))?.bitPattern != value.bitPattern {
        failures.append(value)
      }
      let shortest = value.magnitude.description.prefix { $0 != "e" }.filter(\.isNumber)
      let trimmed = shortest.drop { $0 == "0" }.reversed().drop { $0 == "0" }.count
      if value != 0, "\(digits.significand)".reversed().drop(while: { $0 == "0" }).count != trimmed {
        failures.append(value)
      }
    }
    #expect(failures.isEmpty, "seed \(seed)")
  }

  @Test(
    "moments are RFC 3339",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
      (1_451_606_400_000_000_000, "2016-01-01T00:00:00Z"),
      (951_782_400_500_000_000, "2000-02-29T00:00:00.5Z"),
      (.max, "2262-04-11T23:47:16.854775807Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
    ] as [(Int64, String)])
  func moments(nanoseconds: Int64, text: String) {
    var out: [UInt8] = []
    out.appendRFC3339(nanoseconds)
    #expect(String(decoding: out, as: UTF8.self) == text)
  }
}

@Suite("Documents read back")
struct ResultDocumentTests {
  /// What a document read back is written as again.
  private func again(_ results: [StatementResult], types: Bool, chunk: Int? = nil) throws -> String {
    var options = RenderOptions(precision: .nanoseconds)
    options.includesTypes = types
    options.chunkRowCount = chunk
    let document = try ResultDocument(Array(rendered(results, .json, options).utf8))
    #expect(document.error == nil)
    return rendered(document.results, .json)
  }

  @Test("nothing is lost on the way, whole or in chunks", arguments: [nil, 1, 2, 100])
  func roundTrip(chunk: Int?) throws {
    var failed = result(4)
    failed.error = "database not found: \"x\""
    failed.messages = [ResultMessage(level: "info", text: "é\u{2028}")]
    let all = [mixed, grouped, listed, nothing, failed]
    // Pieces without types may be guessed apart.
    for types in chunk == nil ? [true, false] : [true] {
      #expect(try again(all, types: types, chunk: chunk) == rendered(all, .json))
    }
  }

  @Test("types and the order of tags survive where they are asked for")
  func types() throws {
    let series = ResultSeries(
      "m", tags: [("z", "1"), ("a", "2")], times: [1],
      ["f": [1.0], "i": [1], "u": [.unsigned(.max)], "b": [false], "s": ["x"], "none": [nil]])
    var options = RenderOptions(precision: .nanoseconds)
    options.includesTypes = true
    let document = try ResultDocument(Array(rendered([result(0, series)], .json, options).utf8))
    #expect(
      rendered(document.results, .line) == "m,z=1,a=2 f=1,i=1i,u=18446744073709551615u,b=false,s=\"x\" 1\n")
  }

  @Test("a text that is no document is refused with its place, cut anywhere")
  func truncated() throws {
    let whole = Array(rendered([grouped], .json).utf8)
    for count in 0..<whole.count - 2 {
      #expect(throws: JSONSyntaxError.self) { try ResultDocument(Array(whole[..<count])) }
    }
    #expect(try ResultDocument(Array("{\"error\":\"no\"}".utf8)).error == "no")
  }
}
