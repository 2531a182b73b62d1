import LineProtocol
import Testing

@Suite("Report of lines")
struct ReportTests {
  private func report(_ text: String, _ options: LineParser.Options = .init()) -> (
    text: String, rejectCount: Int
  ) {
    var report = LineReport(options: options)
    var out: [UInt8] = []
    Array(text.utf8).withUnsafeBytes { report.append($0, to: &out) }
    return (String(decoding: out, as: UTF8.self), report.rejectCount)
  }

  @Test("points and refused lines come in their order, as JSON")
  func objects() {
    let input = """
      # comment
      cpu,b=2,a=x\\ y f=1,i=-3i,u=18446744073709551615u,t=T,s="q\\"\\\\ \u{1}é
      x" 7

      bad
      cpu,b=2,a=x\\ y f=1e300
      """
    let expected = """
      {"line":2,"measurement":"cpu","tags":{"a":"x y","b":"2"},"fields":{"f":{"type":"float","value":1.0},\
      "i":{"type":"int","value":-3},"u":{"type":"uint","value":18446744073709551615},"t":{"type":"bool","value":true},\
      "s":{"type":"string","value":"q\\"\\\\ \\u0001é\\nx"}},"timestamp":7}
      {"line":5,"column":4,"error":"missing fields"}
      {"line":6,"measurement":"cpu","tags":{"a":"x y","b":"2"},"fields":{"f":{"type":"float","value":1e+300}},"timestamp":null}

      """
    let found = report(input)
    #expect(found.text == expected)
    #expect(found.rejectCount == 1)
  }

  @Test("more refused lines than a batch keeps are all reported")
  func manyRejects() {
    let found = report(String(repeating: "bad\n", count: 2_000))
    #expect(found.rejectCount == 2_000)
    #expect(found.text.split(separator: "\n").count == 2_000)
  }

  @Test("lines too long are reported once and the next is read")
  func tooLong() {
    let found = report("m f=1234567890\nm f=1\n", .init(lineByteCountMax: 8))
    #expect(
      found.text == """
        {"line":1,"column":9,"error":"line longer than 8 bytes"}
        {"line":2,"measurement":"m","tags":{},"fields":{"f":{"type":"float","value":1.0}},"timestamp":null}

        """)
  }
}
