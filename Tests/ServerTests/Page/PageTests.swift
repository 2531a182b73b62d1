import Foundation
import Query
import TestSupport
import Testing

/// The page of a real server in a real browser.
@Suite(
  "Page: in Chromium", .serialized, .timeLimit(.minutes(10)),
  .enabled(if: Browser.path != nil, "skipped: chromium is not installed"))
struct PageTests {
  /// A name that would run if it became markup.
  private static let hostile = "<script>document.title=1</script>"
  private static let isDrawn = "document.querySelectorAll('#chart path.line').length"

  /// Two hosts, a point each ten seconds for ten minutes before now, a hostile measurement, and a refused line.
  private static func fill(_ server: ServerProcess) throws {
    let now = Int64(Date().timeIntervalSince1970)
    let lines = (0..<60).flatMap { index in
      ["a", "b"].map { "cpu,host=\($0) busy=\($0 == "a" ? index : 100 - index)i,idle=0.5 \(now - Int64(index) * 10)000000000" }
    }
    let odd = hostile.replacing(" ", with: "\\ ").replacing("=", with: "\\=")
    let body = (lines + ["\(odd),<b>tag</b>=<img\\ src\\=x> <i>f</i>=9007199254740993i \(now)000000000"]).joined(separator: "\n")
    let good = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: Array(body.utf8))
    #expect(good.status == 204, "\(good.text)")
    let bad = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: Array("cpu,host=<u>a</u> busy=1x".utf8))
    #expect(bad.status == 400)
  }

  private func withPage(_ body: (Browser, String, ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory + "/data")
      try Self.fill(server)
      let browser = try Browser(directory: directory)
      try body(browser, "http://\(server.http)/", server)
      #expect(server.stop() == 0)
    }
  }

  @Test("chart, table, query, plan, live figures, windows and refused lines are there")
  func shown() throws {
    try withPage { browser, address, server in
      try browser.open(address + "#m=cpu&every=10s")
      #expect(try browser.becomes("\(Self.isDrawn) === 2"))
      #expect(try browser.text("document.title") == "Varve \(server.http)")
      let statement = try browser.text("document.querySelector('#statement').value")
      #expect(statement.hasPrefix("SELECT mean(\"busy\") AS \"busy\", min(\"busy\")"), "\(statement)")
      #expect(statement.contains("FROM \"cpu\" WHERE time > now() - 1h\nGROUP BY time(10s), \"host\""), "\(statement)")
      #expect(try browser.number("document.querySelectorAll('#panelTable tbody tr').length") == 120)
      #expect(try browser.text("document.querySelector('#legend tbody').innerText").contains("host=a"))
      #expect(try browser.number("document.querySelectorAll('#chart text').length") > 8)
      #expect(try browser.text("document.querySelector('#outcome').textContent").hasPrefix("2 series, 120 rows in "))

      #expect(try browser.becomes("document.querySelector('#state').textContent === 'ready'"))
      // A rate stands only once there are two readings.
      let figure = "document.querySelector('[data-figure=ingest] .figure').textContent"
      #expect(try browser.becomes("\(figure) === '0'"))
      let note = try browser.text("document.querySelector('[data-figure=ingest] .notes').innerText")
      #expect(note.hasSuffix("121 since start"), "\(note)")
      #expect(try browser.text("document.querySelector('[data-figure=rejected] .notes').innerText").hasPrefix("1 since start"))

      try browser.value("document.querySelector('#tabPlan').click()")
      #expect(try browser.becomes("/row groups/.test(document.querySelector('#panelPlan').innerText)"))
      try browser.value("document.querySelector('#tabWindows').click()")
      #expect(try browser.becomes("document.querySelectorAll('#panelWindows tbody tr').length >= 1"))
      try browser.value("document.querySelector('[data-figure=rejected]').click()")
      #expect(try browser.becomes("document.querySelectorAll('#panelRejects tbody tr').length === 1"))
      let row = try browser.text("document.querySelector('#panelRejects tbody').innerText")
      #expect(row.contains("cpu,host=<u>a</u> busy=1x") && row.contains("http"), "\(row)")
      #expect(browser.complaints.isEmpty, "\(browser.complaints)")
    }
  }

  @Test("names that are markup are shown as text, whole numbers beyond 2^53 with every digit")
  func hostile() throws {
    try withPage { browser, address, _ in
      try browser.open(address + "#fn=raw&m=" + percentEncoded(Self.hostile))
      #expect(try browser.becomes("document.querySelectorAll('#panelTable tbody tr').length === 1"))
      let row = try browser.text("document.querySelector('#panelTable').innerText")
      #expect(row.contains("<b>tag</b>") && row.contains("<img src=x>") && row.contains("<i>f</i>"), "\(row)")
      #expect(row.contains("9007199254740993"), "\(row)")
      #expect(try browser.text("document.querySelector('#measurement').selectedOptions[0].text") == Self.hostile)
      #expect(try browser.text("document.querySelector('#chart').textContent").contains(Self.hostile))
      #expect(try browser.number("document.querySelectorAll('main script, main img, main b, main i, main u').length") == 0)
      #expect(try browser.text("document.title").hasPrefix("Varve"))
      #expect(browser.complaints.isEmpty, "\(browser.complaints)")
    }
  }

  @Test("a refused statement is shown with its place; one that writes is not run from a link, and only when asked twice")
  func refused() throws {
    try withPage { browser, address, server in
      try browser.open(address + "#q=" + percentEncoded("SELECT busy\nFRM cpu"))
      #expect(try browser.becomes("!document.querySelector('#fault').hidden"))
      let fault = try browser.text("document.querySelector('#fault').textContent")
      #expect(fault.contains("found FRM, expected FROM at line 2, char 1") && fault.hasSuffix("\nFRM cpu\n^"), "\(fault)")

      try browser.open(address + "#q=" + percentEncoded("SELECT busy FROM cpu; DROP DATABASE metrics"))
      #expect(try browser.becomes("document.querySelector('#fault').textContent.includes('not run from a link')"))
      #expect(try server.ask("SHOW DATABASES").first?.values == [[.string("metrics")]])
      try browser.value("document.querySelector('#statement').focus()")
      try browser.press("Enter", modifiers: 2)
      #expect(try browser.becomes("document.querySelector('#fault').textContent.includes('Press Run again')"))
      #expect(try server.ask("SHOW DATABASES").first?.values == [[.string("metrics")]])
      try browser.press("Enter", modifiers: 2)
      #expect(try browser.becomes("document.querySelector('#fault').hidden"))
      #expect(try !RawHTTP.ask(server.http, "GET", "/query?q=SHOW%20DATABASES").text.contains("metrics"))
    }
  }

  @Test("everything is reached and done by keys, each place with a name and a frame that is seen")
  func keyboard() throws {
    try withPage { browser, address, _ in
      try browser.open(address + "#m=cpu")
      #expect(try browser.becomes("\(Self.isDrawn) === 2"))
      var reached: Set<String> = []
      for _ in 0..<80 {
        try browser.press("Tab")
        let place = try browser.value(Self.focused) as? [String: Any] ?? [:]
        let key = place["key"] as? String ?? ""
        if key == "body" || reached.contains(key) { break }
        reached.insert(key)
        #expect(!(place["name"] as? String ?? "").isEmpty, "\(key) has no name")
        #expect(place["isFramed"] as? Bool == true, "\(key) shows no focus")
      }
      let wanted = try browser.value(Self.focusable) as? [String] ?? []
      #expect(wanted.count > 25)
      #expect(Set(wanted).subtracting(reached).isEmpty, "not reached: \(Set(wanted).subtracting(reached))")

      try browser.value("document.querySelector('.surface').focus()")
      for key in ["End", "Enter", "ArrowLeft", "ArrowLeft"] { try browser.press(key) }
      #expect(try browser.text("document.querySelector('#said').textContent").hasSuffix("; marked"))
      #expect(try browser.becomes("document.querySelectorAll('.readout tr').length === 2"))
      try browser.press("Enter")
      #expect(try browser.becomes("location.hash.includes('..') && document.querySelector('#statement').value.includes('time >= ')"))
      #expect(try browser.text("document.querySelector('#range').value").contains("Z.."))
      try browser.value("document.querySelector('#tabTable').focus()")
      try browser.press("End")
      #expect(try browser.text("document.activeElement.id") == "tabRejects")
      #expect(try browser.becomes("document.querySelectorAll('#panelRejects tbody tr').length === 1"))
      try browser.value("document.querySelector('#statement').select()")
      try browser.type("SELECT max(busy) FROM cpu")
      try browser.press("Enter", modifiers: 2)
      #expect(try browser.becomes("document.querySelector('#outcome').textContent.startsWith('1 series, 1 row')"))
      try browser.value("history.back()")
      #expect(try browser.becomes("document.querySelector('#statement').value.includes('GROUP BY time')"))
      #expect(browser.complaints.isEmpty, "\(browser.complaints)")
    }
  }

  @Test("text has a contrast of 4.5 in light and dark, and fits the width of a phone", arguments: [false, true])
  func legible(isDark: Bool) throws {
    try withPage { browser, address, _ in
      for width in [320, 390, 768, 1_280, 1_920] {
        try browser.open(address + "#m=cpu&tab=Rejects", width: width, isDark: isDark)
        #expect(try browser.becomes("\(Self.isDrawn) === 2 && document.querySelectorAll('#panelRejects td').length > 0"))
        #expect(try browser.number("document.documentElement.scrollWidth") <= Double(width), "at \(width)")
        let faint = try browser.value(Self.faintTexts) as? [String] ?? ["no answer"]
        #expect(faint.isEmpty, "at \(width): \(faint)")
      }
      let back = try browser.text("getComputedStyle(document.body).backgroundColor")
      try browser.look(isDark: !isDark)
      #expect(try browser.text("getComputedStyle(document.body).backgroundColor") != back)
    }
  }

  /// A text, and the range that it is on Thursday, 2026-11-26, at 12:30; `nil`: none.
  private static let ranges: [(text: String, range: String?)] = [
    ("-6h", "2026-11-26T06:30 2026-11-26T12:30"), ("-1h30m", "2026-11-26T11:00 2026-11-26T12:30"),
    ("yesterday", "2026-11-25T00:00 2026-11-26T00:00"), ("today", "2026-11-26T00:00 2026-11-27T00:00"),
    ("thursday", "2026-11-19T00:00 2026-11-20T00:00"), ("monday", "2026-11-23T00:00 2026-11-24T00:00"),
    ("2026-11-20", "2026-11-20T00:00 2026-11-21T00:00"), ("2026-02", "2026-02-01T00:00 2026-03-01T00:00"),
    ("2025", "2025-01-01T00:00 2026-01-01T00:00"), ("14:00..14:10", "2026-11-25T14:00 2026-11-25T14:10"),
    ("11:00", "2026-11-26T11:00 2026-11-26T12:30"), ("23:00..01:00", "2026-11-25T23:00 2026-11-26T01:00"),
    ("yesterday 10:00..11:00", "2026-11-25T10:00 2026-11-25T11:00"), ("2026-11-20..2026-11-22", "2026-11-20T00:00 2026-11-23T00:00"),
    ("2026-11-20 14:00..", "2026-11-20T14:00 2026-11-26T12:30"), ("2026-11-20T14:00:00+02:00..now", "2026-11-20T12:00 2026-11-26T12:30"),
    ("1700000040..1700000100000", "2023-11-14T22:14 2023-11-14T22:15"),
    ("2026-02-30", nil), ("soon", nil), ("25:00", nil), ("2026-11-22..2026-11-20", nil), ("..", nil), ("", nil),
  ]

  /// What `varve query --time` and `time=` make of a text at that moment: milliseconds; a range without an end goes on to now.
  private static func range(_ text: String) -> String {
    let now: Int64 = 1_795_696_200_000
    guard let range = try? TimeRange(text, now: now * 1_000_000), let start = range.start else { return "RangeError" }
    return "\(start / 1_000_000) \(range.end.map { $0 / 1_000_000 } ?? now)"
  }

  @Test("a range is read as people write it, and as the command reads it")
  func rangesRead() throws {
    try withPage { browser, address, _ in
      try browser.open(address + "#m=cpu")
      #expect(try browser.becomes("\(Self.isDrawn) === 2"))
      for (text, range) in Self.ranges {
        let read = try browser.text(
          """
          import('/page/times.js').then(({ readRange }) => {
            try {
              const { start, end } = readRange('\(text)', Date.parse('2026-11-26T12:30:00Z'), 'utc');
              return [start, end].map((time) => new Date(time).toISOString().replace(':00.000Z', '')).join(' ') + `|${start} ${end}`;
            } catch (error) { return `${error.name}|${error.name}`; }
          })
          """
        ).split(separator: "|")
        #expect(read.count == 2 && read[0] == range ?? "RangeError", "\(text)")
        #expect(read.last.map(String.init) == Self.range(text), "\(text)")
      }
    }
  }

  @Test("where points outnumber pixels each pixel has its least and greatest: no peak is lost")
  func thinned() throws {
    try withPage { browser, address, _ in
      try browser.open(address)
      let trace = try browser.text(
        """
        import('/page/trace.js').then(({ traceOf }) => {
          const x = Float64Array.from({ length: 100000 }, (_, index) => index);
          const y = x.map((time) => time === 54321 ? 900 : time === 12345 ? -700 : time % 7);
          const { low, high, x: times } = traceOf({ x, y }, 0, 100000, 500);
          return [times.length, Math.max(...high), Math.min(...low)].join(' ');
        })
        """)
      #expect(trace == "500 900 -700")
    }
  }
}
