import Glibc
import Query
import TestSupport
import Testing
import varve

/// Keeps what it is told; refuses lines that begin with `bad`.
private final class FakeTarget: ImportTarget {
  var log: [String] = []
  var place = ""
  /// Writes after this many fail.
  var writesLeft = Int.max

  func use(database: String, policy: String?) { place = "\(database).\(policy ?? "-")" }
  func execute(_ statement: String) { log.append("execute \(statement)") }
  func ask(_ statement: String) -> [ResultSeries] {
    log.append("ask \(statement)")
    return []
  }
  func write(_ lines: UnsafeRawBufferPointer, firstLine: Int) throws -> ImportOutcome {
    if writesLeft == 0 { throw CommandFailure("gone") }
    writesLeft -= 1
    let text = String(decoding: lines, as: UTF8.self)
    log.append("\(place) \(firstLine) \(text)")
    var outcome = ImportOutcome()
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if line.hasPrefix("bad") {
        outcome.refused.append(RefusedLine(line: firstLine + index, column: 4, reason: "missing fields"))
      } else if !line.isEmpty, !line.hasPrefix("#") {
        outcome.acceptedCount += 1
      }
    }
    return outcome
  }
}

/// A file of the test's own, removed with the object.
private final class ScratchFile {
  let path: String

  init(_ bytes: [UInt8] = []) throws {
    var template = Array("/tmp/varve-import-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { close(descriptor) }
    try bytes.withUnsafeBytes { try writeAll($0, to: descriptor, name: path) }
  }

  convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

  deinit { unlink(path) }
}

@Suite("Import")
struct ImportTests {
  private func importer(
    _ target: FakeTarget, rejects: String? = nil, resume: String? = nil, batch: Int = 64
  ) throws -> Importer {
    var options = Importer.Options(database: "metrics")
    options.batchByteCount = batch
    options.lineByteCountMax = 64
    return Importer(target, options, rejects: RejectList(path: rejects), place: try ImportPlace(path: resume))
  }

  @Test(
    "lines come in order and whole, with their numbers, whatever the batches", arguments: [1, 7, 20, 1000])
  func batches(byteCount: Int) throws {
    let lines = (1...50).map { "m,t=a f=\($0)" }
    let file = try ScratchFile(lines.joined(separator: "\n"))
    let target = FakeTarget()
    var importer = try importer(target, batch: byteCount)
    try importer.take(file.path)
    #expect(importer.acceptedCount == 50)
    var (next, all) = (1, "")
    for entry in target.log {
      let parts = entry.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
      #expect(parts[0] == "metrics.-")
      #expect(parts[1] == "\(next)")
      next += parts[2].count { $0 == "\n" }
      all += parts[2]
    }
    #expect(all == lines.joined(separator: "\n"))
  }

  @Test("a string over several lines is not cut")
  func strings() throws {
    let file = try ScratchFile("m f=\"a\nb\nc\" 1\nm f=2 2\n")
    let target = FakeTarget()
    var importer = try importer(target, batch: 1)
    try importer.take(file.path)
    #expect(target.log.first?.contains("m f=\"a\nb\nc\" 1\n") == true)
  }

  @Test("refused lines are kept with place and text, a line that is too long too")
  func rejects() throws {
    // Longer than the importer's buffer; shorter ones are the parser's to refuse.
    let long = String(repeating: "x", count: 100)
    let file = try ScratchFile("m f=1\nbad\n\(long)\nm f=2\nbad 2\n")
    let rejects = try ScratchFile("old")
    let target = FakeTarget()
    var importer = try importer(target, rejects: rejects.path, batch: 1)
    try importer.take(file.path)
    try importer.finish()
    #expect(importer.acceptedCount == 2)
    #expect(importer.rejectedCount == 3)
    let kept = String(decoding: try readWholeFile(rejects.path), as: UTF8.self).split(separator: "\n")
    #expect(kept.count == 6)
    #expect(kept[0] == "# \(file.path):2:4: missing fields" && kept[1] == "bad")
    #expect(kept[2].hasPrefix("# \(file.path):3:") && kept[3].hasPrefix("xxx"))
    #expect(kept[4] == "# \(file.path):5:4: missing fields" && kept[5] == "bad 2")
  }

  @Test("an export's statements are run, its comments name the database", arguments: [1, 1000])
  func export(byteCount: Int) throws {
    let file = try ScratchFile(
      """
      # DDL
      CREATE DATABASE a WITH NAME x

      # DML
      # CONTEXT-DATABASE: a
      # CONTEXT-RETENTION-POLICY: x
      m f=1
      m f=2
      # CONTEXT-DATABASE: b
      m f=3

      """)
    let target = FakeTarget()
    var importer = try importer(target, batch: byteCount)
    try importer.take(file.path)
    let writes = target.log.filter { !$0.hasPrefix("execute") }.map { $0.split(separator: "\n") }
    #expect(target.log.first == "execute CREATE DATABASE a WITH NAME x")
    #expect(writes.flatMap { $0 }.map(String.init).contains("a.x 7 m f=1"))
    #expect(writes.last?.first == "b.- 10 m f=3")
    #expect(importer.acceptedCount == 3)
  }

  @Test("an import that broke goes on behind what was taken")
  func resume() throws {
    let file = try ScratchFile((1...40).map { "m f=\($0)\n" }.joined())
    let place = try ScratchFile()
    unlink(place.path)
    let first = FakeTarget()
    first.writesLeft = 2
    var broken = try importer(first, resume: place.path, batch: 50)
    #expect(throws: CommandFailure.self) { try broken.take(file.path) }
    let second = FakeTarget()
    var resumed = try importer(second, resume: place.path, batch: 50)
    try resumed.take(file.path)
    #expect(broken.acceptedCount + resumed.acceptedCount == 40)
    #expect(broken.acceptedCount > 0)
    let third = FakeTarget()
    var again = try importer(third, resume: place.path)
    try again.take(file.path)
    #expect(third.log.isEmpty)
    let odd = try ScratchFile("x y z\n")
    #expect(throws: CommandFailure.self) { try ImportPlace(path: odd.path) }
  }

  @Test("gzip is inflated, members one after another; a cut stream is named")
  func gzip() throws {
    // `printf 'm f=1\n' | gzip -n`, and the same for f=2.
    let one: [UInt8] = [
      0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x55, 0x48, 0xb3, 0x35, 0xe4, 0x02, 0, 0x93, 0xa2, 0x1f,
      0xd0,
      0x06, 0, 0, 0,
    ]
    let target = FakeTarget()
    var importer = try importer(target)
    let file = try ScratchFile(one + one)
    try importer.take(file.path)
    #expect(importer.acceptedCount == 2)
    for count in [3, 12, one.count - 1, one.count + 5] {
      let cut = try ScratchFile(Array((one + one).prefix(count)))
      #expect(throws: CommandFailure.self, "\(count)") { try importer.take(cut.path) }
    }
  }

  @Test("files that are not there are named")
  func missing() throws {
    var importer = try importer(FakeTarget())
    #expect(throws: CommandFailure("cannot open /nonexistent/x: No such file or directory")) {
      try importer.take("/nonexistent/x")
    }
  }

  @Test("a server's answer names the refused lines")
  func answers() throws {
    let text =
      #"{"error":"partial write: unable to parse 'bad': missing fields dropped=0","lines":[{"line":3,"column":4,"reason":"missing fields","text":"bad"}],"accepted":5,"rejected":1}"#
    let answer = try #require(WriteAnswer(Array(text.utf8)))
    #expect(answer.acceptedCount == 5 && answer.rejectedCount == 1)
    #expect(answer.refused.map(\.line) == [3] && answer.refused.first?.reason == "missing fields")
    #expect(WriteAnswer(Array("{\"error\":\"database is required\"}".utf8)) == nil)
    #expect(WriteAnswer(Array("<html>".utf8)) == nil)
  }

  @Test("metrics are read with their labels")
  func metrics() {
    let metrics = Metrics(
      "# HELP a b\na 1\nvarve_x_total{listener=\"tcp\",result=\"a\\\"b\"} 2.5e3\nodd{\n y{z=\"1\"} \nlast 7 1700000000\n"
    )
    #expect(metrics.samples.map(\.name) == ["a", "varve_x_total", "last"])
    #expect(metrics.samples.map(\.value) == [1, 2500, 7])
    #expect(metrics.samples[1].label("result") == "a\"b")
  }
}
