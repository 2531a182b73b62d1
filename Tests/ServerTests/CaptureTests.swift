import Foundation
import TestSupport
import Testing

/// What real clients sent, sent again byte for byte, against what InfluxDB 1.6.7 made of it.
@Suite(
  "Clients' captures", .serialized, .enabled(if: sharedFolder != nil, "skipped: the captures are not there"))
struct CaptureTests {
  /// One line of a capture: a datagram, a piece of a stream, or a request.
  private struct Event: Decodable {
    var text: String?
    var b64: String?
    var gzip: Bool?
    var request: String?
    var headers: [[String]]?
    var conn: Int?
    var event: String?

    /// The body; one that was packed is stored unpacked, and sent so.
    var body: [UInt8] {
      if let text { return Array(text.utf8) }
      return b64.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
    }
  }

  /// `NAME.expect.json`.
  private struct Expectation: Decodable {
    struct Rows: Decodable { var values: [[AnsweredSeries.Value]] }
    struct Measurement: Decodable {
      var counts: [String: Int64]
      var types: [String: String]
      var firstRows: Rows

      enum CodingKeys: String, CodingKey {
        case counts
        case types = "field_types"
        case firstRows = "first_rows"
      }
    }
    struct Answers: Decodable { var measurements: [String: Measurement] }
    var answers: Answers
    var lines: Int

    enum CodingKeys: String, CodingKey {
      case answers = "influxdb_1_6_7"
      case lines
    }
  }

  private static func events(_ name: String) throws -> [Event] {
    let text = try String(contentsOfFile: (sharedFolder ?? "") + "/captures/\(name).jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }

  private static func expectation(_ name: String) throws -> Expectation {
    let path = (sharedFolder ?? "") + "/captures/\(name).expect.json"
    return try JSONDecoder().decode(Expectation.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func number(_ value: AnsweredSeries.Value) -> Double? {
    switch value {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .float(let value): value
    default: nil
    }
  }

  private func isSame(_ a: AnsweredSeries.Value, _ b: AnsweredSeries.Value) -> Bool {
    if let a = number(a), let b = number(b) { return a == b }
    return a == b
  }

  /// Compares counts, types and first rows of every measurement.
  private func check(_ server: ServerProcess, _ expectation: Expectation, database: String) throws {
    for (name, wanted) in expectation.answers.measurements {
      let counts = try #require(try server.ask("SELECT count(*) FROM \"\(name)\"", database: database).first)
      let pairs = zip(counts.columns, counts.values[0]).dropFirst().compactMap { column, value in
        value.integer.map { (column, $0) }
      }
      #expect(Dictionary(uniqueKeysWithValues: pairs) == wanted.counts, "\(name)")
      let keys = try #require(try server.ask("SHOW FIELD KEYS FROM \"\(name)\"", database: database).first)
      let types = wanted.types.sorted { $0.key < $1.key }.map {
        [AnsweredSeries.Value.string($0.key), .string($0.value)]
      }
      #expect(keys.values == types, "\(name)")
      let rows = try #require(try server.ask("SELECT * FROM \"\(name)\" LIMIT 2", database: database).first)
        .values
      let first = wanted.firstRows.values
      let areSame =
        rows.count == first.count
        && zip(rows, first).allSatisfy { $0.count == $1.count && zip($0, $1).allSatisfy(isSame) }
      #expect(areSame, "\(name): \(rows), not \(first)")
    }
  }

  @Test(
    "requests of HTTP clients, two of them in HTTP/1.0 or without a database of their own",
    arguments: ["pytelegraf-http", "influxdb-client-http", "icinga2-influxdb-http", "ruby-influxdb-http"])
  func requests(name: String) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let database = name == "icinga2-influxdb-http" ? "icinga2" : "demo"
      _ = try server.ask("CREATE DATABASE \(database)")
      for event in try Self.events(name) {
        guard let request = event.request else { continue }
        let words = request.split(separator: " ").map(String.init)
        // This one leaves the database to the server, which here has to be told.
        let target = words[1] == "/write" ? "/write?db=demo" : words[1]
        let left = ["host", "connection", "content-length", "content-encoding", "transfer-encoding"]
        let headers = (event.headers ?? []).filter { !left.contains($0[0].lowercased()) }.map {
          $0.joined(separator: ": ")
        }
        let answer = try RawHTTP.ask(
          server.http, words[0], target, headers: headers, body: event.body, version: words[2])
        #expect(answer.status == (target.hasPrefix("/query") ? 200 : 204), "\(target): \(answer.text)")
      }
      try check(server, Self.expectation(name), database: database)
    }
  }

  @Test("datagrams of collectd, which the listener must know to be in milliseconds")
  func collectd() throws {
    let name = "collectd-influxdb-udp-rates"
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(
        dataDirectory: directory, arguments: ["--database", "demo", "--precision", "ms"])
      let socket = try TestSocket(server.udp, isDatagram: true)
      for event in try Self.events(name) { try socket.send(event.body) }
      let expectation = try Self.expectation(name)
      let page = try server.metrics { $0.accepted("udp") == Double(expectation.lines) }
      #expect(page.accepted("udp") == Double(expectation.lines))
      #expect(page.rejected("udp") == 0)
      try check(server, expectation, database: "demo")
    }
  }

  @Test(
    "streams in other protocols are refused line by line, whole lines of ours between them kept",
    arguments: [("questdb-tcp", 1.0), ("netdata-opentsdb-tcp", 0), ("collectd-graphite-tcp", 0)])
  func streams(name: String, acceptedCount: Double) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      var sockets: [Int: TestSocket] = [:]
      for event in try Self.events(name) where event.event == nil {
        let connection = event.conn ?? 0
        let socket = try sockets[connection] ?? TestSocket(server.tcp)
        sockets[connection] = socket
        try socket.send(event.body)
      }
      for socket in sockets.values {
        socket.finishSending()
        #expect(try socket.readToEnd().isEmpty, "who does not ask is not written to")
      }
      let page = try server.metrics { $0.accepted("tcp") == acceptedCount && $0.rejected("tcp") > 90 }
      #expect(page.accepted("tcp") == acceptedCount)
      #expect(page.rejected("tcp") > 90)
      #expect(server.stop() == 0)
    }
  }
}
