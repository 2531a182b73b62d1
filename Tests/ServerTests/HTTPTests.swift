import Foundation
import TestSupport
import Testing

/// The HTTP interface over real connections.
@Suite("HTTP", .serialized)
struct HTTPTests {
  private func withServer(_ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      try body(server)
      #expect(server.stop() == 0)
    }
  }

  private func write(
    _ server: ServerProcess, _ lines: String, _ parameters: String = "db=metrics", headers: [String] = []
  ) throws -> RawHTTP {
    try RawHTTP.ask(server.http, "POST", "/write?\(parameters)", headers: headers, body: Array(lines.utf8))
  }

  @Test("a body in chunks is what it is whole, however it was cut", arguments: [1, 7, 4_096, 1_000_000])
  func chunked(chunk: Int) throws {
    try withServer { (server: ServerProcess) throws in
      let count = chunk < 100 ? 50 : 20_000
      let body = (0..<count).map { "c f=\($0)i \(1_000_000_000_000_000_000 + $0)\n" }.joined()
      let answer = try RawHTTP.askChunked(
        server.http, "/write?db=metrics", body: Array(body.utf8), chunk: chunk)
      #expect(answer.status == 204, "\(answer.text)")
      #expect(try server.count("f", of: "c") == Int64(count))
      let sum = try server.ask("SELECT sum(f) FROM c").first?.values.first?.last?.integer
      #expect(sum == Int64(count * (count - 1) / 2))
    }
  }

  @Test("gzip bodies are unpacked; what is no gzip is refused")
  func packed() throws {
    try withServer { (server: ServerProcess) throws in
      // `printf 'g f=1i 1\ng f=2i 2\n' | gzip -n`, whole and chunked, once and as two members.
      let member = try #require(Data(base64Encoded: "H4sIAAAAAAAAA0tXSLM1zFQw5EoHMowyFYy4ANPpvXUSAAAA"))
      let bytes = Array(member)
      let headers = ["Content-Encoding: gzip"]
      let absent = try RawHTTP.ask(server.http, "GET", "/api/v2/buckets")
      #expect(absent.status == 404)
      #expect(absent.text.hasPrefix("{\"code\":\"not found\",\"message\":\"/api/v2/buckets is not offered"))
      var answer = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", headers: headers, body: bytes)
      #expect(answer.status == 204, "\(answer.text)")
      #expect(try server.count("f", of: "g") == 2)
      answer = try RawHTTP.askChunked(
        server.http, "/write?db=metrics", headers: headers, body: bytes + bytes, chunk: 5)
      #expect(answer.status == 204, "\(answer.text)")
      #expect(try server.metrics().accepted("http") == 6)
      for damaged in [Array("g f=3i 3\n".utf8), Array(bytes.dropLast(9)), Array(bytes.prefix(3))] {
        answer = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", headers: headers, body: damaged)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(answer.text.contains("not valid gzip"))
      }
      answer = try write(server, "g f=1", headers: ["Content-Encoding: br"])
      #expect(answer.status == 415)
      #expect(try server.count("f", of: "g") == 2)
    }
  }

  @Test("a body over the limit is refused whole")
  func tooLarge() throws {
    try withServer { (server: ServerProcess) throws in
      let body = [UInt8](repeating: UInt8(ascii: "\n"), count: (64 << 20) + 1)
      let answer = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: body)
      #expect(answer.status == 413)
      #expect(answer.text == "{\"error\":\"Request Entity Too Large\"}\n")
      #expect(try write(server, "m f=1 1").status == 204)
    }
  }

  @Test("what is asked wrongly is answered with InfluxDB's words")
  func refusals() throws {
    try withServer { (server: ServerProcess) throws in
      let cases: [(String, String, Int, String)] = [
        ("POST", "/write", 400, "database is required"),
        ("POST", "/write?db=nosuch", 404, "database not found: \"nosuch\""),
        ("POST", "/write?db=metrics&rp=nosuch", 500, "retention policy not found: nosuch"),
        ("GET", "/write?db=metrics", 405, "Method Not Allowed"),
        ("PUT", "/query?q=SHOW%20DATABASES", 405, "Method Not Allowed"), ("POST", "/ping", 405, "Method Not Allowed"),
        ("GET", "/nosuch", 404, "404 page not found: /nosuch"),
        ("GET", "/query", 400, "missing required parameter \"q\""),
        ("GET", "/query?q=SELEC", 400, "error parsing query: found SELEC, expected"),
      ]
      for (method, target, status, words) in cases {
        let answer = try RawHTTP.ask(
          server.http, method, target, body: method == "POST" ? Array("m f=1".utf8) : [])
        #expect(answer.status == status, "\(method) \(target): \(answer.text)")
        let document = try JSONDecoder().decode([String: String].self, from: Data(answer.body))
        #expect(document["error"]?.hasPrefix(words) == true, "\(method) \(target): \(answer.text)")
        #expect(answer.headers["x-influxdb-error"]?.hasPrefix(words) == true, "\(method) \(target)")
        #expect(answer.headers["x-influxdb-version"]?.hasPrefix("1.8") == true)
        if status == 405 { #expect(answer.headers["allow"]?.hasPrefix("OPTIONS, ") ?? false) }
      }
    }
  }

  @Test("a text that does not parse has its place beside the message, which need not have it, and InfluxDB's form where CSV is asked for")
  func parseFailures() throws {
    try withServer { (server: ServerProcess) throws in
      let target = "/query?db=metrics&q=\(percentEncoded("SELECT f\nFROM m tz('x')"))"
      var answer = try RawHTTP.ask(server.http, "GET", target)
      #expect(answer.status == 400 && answer.text == "{\"error\":\"error parsing query: unable to find time zone x\"}\n")
      #expect(answer.headers["x-varve-error-at"] == "line 2, char 8")
      answer = try RawHTTP.ask(server.http, "GET", target, headers: ["Accept: application/csv"])
      #expect(answer.status == 400 && answer.text == "error\n\"error parsing query: unable to find time zone x\"\n")
      #expect(answer.headers["content-type"] == "text/csv")
    }
  }

  @Test("a form is read whatever stands between its signs, and of several headers of a name the last counts")
  func oddForms() throws {
    try withServer { (server: ServerProcess) throws in
      #expect(try write(server, "m f=1,g=2 1").status == 204)
      let form = "Content-Type: application/x-www-form-urlencoded"
      let wanted = "[\"time\",\"f\"],\"values\":[[1,1]]"
      for body in [
        "q=SELECT+f+FROM+m&db=metrics&epoch=ns", "&&q=SELECT%20f%20FROM%20m&=x&db=metrics&&epoch=ns&", "x&q=SELECT+%66+FROM+m&db=metrics&epoch=ns&y=",
        "q=SELECT+f+FROM+m+--+%zz%4&q=SELECT+g+FROM+m&db=metrics&epoch=ns", "q=SELECT+f+FROM+m+WHERE+f=1&db=metrics&epoch=ns",
      ] {
        let answer = try RawHTTP.ask(server.http, "POST", "/query", headers: [form], body: Array(body.utf8))
        #expect(answer.status == 200 && answer.text.contains(wanted), "\(body): \(answer.text)")
      }
      for body in ["", "&", "db=metrics&q", "q=&db=metrics"] {
        let answer = try RawHTTP.ask(server.http, "POST", "/query", headers: [form], body: Array(body.utf8))
        #expect(answer.status == 400 && answer.text.contains("missing required parameter"), "\(body): \(answer.text)")
      }
      let target = "/query?db=metrics&q=\(percentEncoded("SELECT f FROM m"))"
      let answer = try RawHTTP.ask(server.http, "GET", target, headers: ["ACCEPT: application/csv", "accept: application/json"])
      #expect(answer.headers["content-type"] == "application/json")
    }
  }

  @Test("a statement that changes something is done for a GET too, and said to be out of place; one that fails is not")
  func changesByGet() throws {
    try withServer { (server: ServerProcess) throws in
      #expect(try write(server, "m f=1 1").status == 204)
      for (statement, isWarned) in [
        ("CREATE DATABASE zz", true), ("SELECT f INTO n FROM m", true), ("DROP SERIES FROM n", true), ("DROP DATABASE zz", true),
        ("SELECT f FROM m", false), ("EXPLAIN SELECT f FROM m", false), ("KILL QUERY 99", false), ("SELECT f INTO n FROM nosuch..m", false),
      ] {
        for method in ["GET", "POST"] {
          let answer = try RawHTTP.ask(server.http, method, "/query?db=metrics&q=\(percentEncoded(statement))")
          let warning =
            "\"messages\":[{\"level\":\"warning\",\"text\":\"deprecated use of '\(statement)' in a read only context, "
            + "please use a POST request instead\"}]"
          #expect(answer.status == 200 && answer.text.contains(warning) == (isWarned && method == "GET"), "\(method) \(answer.text)")
        }
      }
    }
  }

  @Test("units and sizes of chunks that are none are the usual ones, and every answer has a type")
  func oddParameters() throws {
    try withServer { (server: ServerProcess) throws in
      let written = try write(server, "m f=1 1000000000\nm f=2 2000000000")
      #expect(written.status == 204 && written.headers["content-type"] == "application/json")
      #expect(try RawHTTP.ask(server.http, "GET", "/ping").headers["content-type"] == "application/json")
      for epoch in ["ns", "n", "fortnight", "auto"] {
        let answer = try RawHTTP.ask(server.http, "GET", "/query?db=metrics&epoch=\(epoch)&q=SELECT%20f%20FROM%20m")
        #expect(answer.text.contains("[[1000000000,1],[2000000000,2]]"), "\(epoch): \(answer.text)")
      }
      for size in ["0", "-1", "x", ""] {
        let answer = try RawHTTP.ask(
          server.http, "GET", "/query?db=metrics&epoch=s&chunked=true&chunk_size=\(size)&q=SELECT%20f%20FROM%20m", version: "HTTP/1.0")
        #expect(answer.text.contains("[[1,1],[2,2]]") && !answer.text.contains("partial"), "\(size): \(answer.text)")
      }
    }
  }

  @Test("the v2 interface speaks its own words")
  func v2() throws {
    try withServer { (server: ServerProcess) throws in
      let line = Array("v2 f=1i 5".utf8)
      #expect(
        try RawHTTP.ask(server.http, "POST", "/api/v2/write?org=o&bucket=metrics&precision=s", body: line)
          .status == 204)
      #expect(try server.ask("SELECT f FROM v2").first?.values == [[.integer(5_000_000_000), .integer(1)]])
      var answer = try RawHTTP.ask(
        server.http, "POST", "/api/v2/write?bucket=metrics&precision=x", body: line)
      #expect(answer.status == 400)
      #expect(
        answer.text
          == "{\"code\":\"invalid\",\"message\":\"invalid precision \\\"x\\\" (use ns, us, ms or s)\"}\n")
      answer = try RawHTTP.ask(server.http, "POST", "/api/v2/write?bucket=nosuch", body: line)
      #expect(answer.status == 404)
      #expect(answer.text.hasPrefix("{\"code\":\"not found\","), "\(answer.text)")
      answer = try RawHTTP.ask(server.http, "POST", "/api/v2/write?bucket=metrics", body: Array("bad".utf8))
      #expect(answer.status == 400)
      #expect(
        answer.text.hasPrefix("{\"code\":\"invalid\",\"message\":\"unable to parse 'bad': missing fields\""),
        "\(answer.text)")
    }
  }

  @Test(
    "precision scales times; an unknown word is nanoseconds",
    arguments: [
      ("ns", 1), ("n", 1), ("u", 1_000), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
      ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("fortnight", 1), ("", 1),
    ] as [(String, Int64)])
  func precision(name: String, unit: Int64) throws {
    try withServer { (server: ServerProcess) throws in
      #expect(try write(server, "p f=1i 7", "db=metrics&precision=\(name)").status == 204)
      #expect(try server.ask("SELECT f FROM p").first?.values == [[.integer(7 * unit), .integer(1)]])
    }
  }

  @Test("an empty body, blank lines and comments are 204")
  func nothing() throws {
    try withServer { (server: ServerProcess) throws in
      for body in ["", "\n", "\n\n  \n# a comment\n", "# only this"] {
        let answer = try write(server, body)
        #expect(answer.status == 204 && answer.body.isEmpty, "\(body.debugDescription): \(answer.text)")
      }
      #expect(try server.metrics().rejected("http") == 0)
    }
  }

  @Test("of a partial write the good lines are kept and each bad one is named")
  func partial() throws {
    try withServer { (server: ServerProcess) throws in
      let answer = try write(server, "p f=1i 1\nbad\np f=2i 2\nworse x\np f=3i 3")
      #expect(answer.status == 400)
      struct Named: Decodable, Equatable {
        var line: Int
        var column: Int
        var reason: String
        var text: String
      }
      struct Answer: Decodable {
        var error: String
        var lines: [Named]
        var accepted: Int
        var rejected: Int
      }
      let document = try JSONDecoder().decode(Answer.self, from: Data(answer.body))
      let error = "unable to parse 'bad': missing fields\nunable to parse 'worse x': invalid field format"
      #expect(document.error == "partial write: \(error) dropped=2")
      #expect(
        answer.headers["x-influxdb-error"] == "partial write: \(error) dropped=2".replacing("\n", with: " "))
      #expect(document.lines.map(\.line) == [2, 4])
      #expect(document.lines.map(\.text) == ["bad", "worse x"])
      #expect(document.lines.map(\.reason) == ["missing fields", "invalid field format"])
      #expect(document.accepted == 3 && document.rejected == 2)
      #expect(try server.count("f", of: "p") == 3)
      let none = try write(server, "bad")
      #expect(none.status == 400)
      #expect(none.text.hasPrefix("{\"error\":\"unable to parse 'bad': missing fields\""), "\(none.text)")
    }
  }

  @Test("a body of many megabytes becomes many batches and one answer")
  func large() throws {
    try withServer { (server: ServerProcess) throws in
      var body: [UInt8] = []
      for index in 0..<60_000 {
        body += Array(
          "big,host=h\(index % 50) f=\(index)i,s=\"a string to make it longer\" \(1_000_000_000_000_000_000 + index)\n"
            .utf8)
      }
      #expect(body.count > 4 << 20)
      #expect(try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: body).status == 204)
      #expect(try server.count("f", of: "big") == 60_000)
    }
  }

  @Test("ping, health, ready and metrics answer as clients expect")
  func probes() throws {
    try withServer { (server: ServerProcess) throws in
      let ping = try RawHTTP.ask(server.http, "GET", "/ping")
      #expect(ping.status == 204 && ping.body.isEmpty && ping.headers["x-influxdb-version"] != nil)
      #expect(try RawHTTP.ask(server.http, "GET", "/ping?verbose=true").text.hasPrefix("{\"version\":\""))
      let health = try RawHTTP.ask(server.http, "GET", "/health")
      #expect(health.status == 200)
      #expect(health.text.contains("\"status\":\"pass\""))
      let ready = try RawHTTP.ask(server.http, "GET", "/ready")
      #expect(ready.status == 200 && ready.text == "{\"status\":\"ready\"}\n")
      #expect(
        try RawHTTP.ask(server.http, "GET", "/metrics").headers["content-type"]?.hasPrefix("text/plain")
          == true)
    }
  }

  @Test("/status is empty, /debug/vars has every number of the metrics with its name and labels")
  func variables() throws {
    struct Entry: Decodable {
      var name: String
      var tags: [String: String]
      var values: [String: Double]
    }
    try withServer { (server: ServerProcess) throws in
      #expect(try RawHTTP.ask(server.http, "GET", "/status").status == 204)
      _ = try write(server, "m f=1\nm f=2\nbad")
      _ = try server.metrics { $0.accepted("http") == 2 }
      let answer = try RawHTTP.ask(server.http, "GET", "/debug/vars")
      #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
      let entries = try JSONDecoder().decode([String: Entry].self, from: Data(answer.body))
      let lines = entries["varve_ingest_lines_total{listener=\"http\",result=\"accepted\"}"]
      #expect(lines?.name == "varve_ingest_lines_total" && lines?.values == ["value": 2])
      #expect(lines?.tags == ["listener": "http", "result": "accepted"])
      let page = try RawHTTP.ask(server.http, "GET", "/metrics").text
      let names = Set(page.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.prefix { !"{ ".contains($0) } })
      #expect(Set(entries.values.map { $0.name[...] }) == names)
    }
  }

  @Test("metrics are Prometheus text and their sums agree")
  func metrics() throws {
    try withServer { (server: ServerProcess) throws in
      _ = try write(server, "m f=1\nm f=2\nbad\nm f=12x\nm f=1 1x\nm,t=\u{fffd} f=1")
      _ = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Array("m,t=".utf8) + [0xff] + Array(" f=1".utf8))
      let socket = try TestSocket(server.tcp)
      try socket.send("m f=1\nbad\n")
      #expect(try socket.acknowledge("t") == "ok t accepted=1 rejected=1")
      try TestSocket(server.udp, isDatagram: true).send("m f=1\nbad")
      _ = try server.ask("SELECT count(f) FROM m")
      let page = try server.metrics { $0.accepted("udp") == 1 && $0.rejected("udp") == 1 }
      #expect(page.accepted("http") == 3)
      #expect(page.rejected("http") == 4)
      #expect(page.rejected("http", "utf8") == 1)
      for listener in ["http", "tcp", "udp"] {
        let reasons = page.sum("varve_ingest_rejects_total", ["listener": listener])
        #expect(reasons == page.rejected(listener), "\(listener)")
        #expect(page.accepted(listener) > 0)
        #expect(page.sum("varve_ingest_bytes_total", ["listener": listener]) > 0)
      }
      let reasons = Set(
        page.samples.filter { $0.name == "varve_ingest_rejects_total" }.compactMap { $0.labels["reason"] })
      #expect(
        reasons == [
          "syntax", "number", "timestamp", "utf8", "too_long", "limit", "expired", "future", "unterminated",
          "overload",
        ])
      for name in ["varve_query_seconds", "varve_wal_sync_seconds"] {
        #expect(page.kinds[name] == "histogram")
        let buckets = page.samples.filter { $0.name == name + "_bucket" }.map(\.value)
        #expect(
          buckets == buckets.sorted() && buckets.last == page.sum(name + "_count") && buckets.last ?? 0 > 0,
          "\(name)")
      }
      #expect(page.sum("varve_wal_syncs_total") > 0)
      #expect(page.sum("varve_degraded") == 0)
      for name in Self.promised { #expect(page.kinds[name] != nil, "\(name) is missing") }
    }
  }

  @Test("the views of stats are one JSON document each, and misuse is told")
  func stats() throws {
    try withServer { (server: ServerProcess) throws in
      _ = try write(server, "cpu,host=a,id=1 f=1\ncpu,host=a,id=2 f=2\n")
      func get(_ path: String) throws -> (status: Int, text: String) {
        let answer = try RawHTTP.ask(server.http, "GET", path)
        return (answer.status, answer.text)
      }
      let compaction = try get("/stats/compaction")
      #expect(compaction.status == 200 && compaction.text.contains("\"isPaused\":false"))
      #expect(compaction.text.contains("\"outlook\":\"open: 0 runs\"") && compaction.text.contains("\"memoryRows\":2"))
      let retention = try get("/stats/retention")
      #expect(retention.status == 200 && retention.text.contains("\"why\":\"kept for ever: the policy has no TTL\""))
      let series = try get("/stats/series?top=1&db=metrics")
      #expect(series.status == 200 && series.text.contains("\"liveSeries\":2,\"series\":2"))
      #expect(series.text.contains("\"key\":\"host\",\"kind\":\"tagValue\",\"measurement\":\"cpu\",\"series\":2,\"value\":\"a\""))
      #expect(try get("/stats/series?db=nothing").status == 404)
      #expect(try get("/stats/series?top=few").status == 400)
      #expect(try RawHTTP.ask(server.http, "POST", "/stats/retention").status == 405)
    }
  }

  @Test("a backup and a restore are one request each, and misuse is told")
  func backup() throws {
    try TemporaryDirectory.with { (path: String) throws in
      let server = try ServerProcess(dataDirectory: path + "/data")
      _ = try write(server, "cpu,host=a f=1\ncpu,host=b f=2\n")
      let directory = path + "/backup"
      func post(_ path: String) throws -> (status: Int, text: String) {
        let answer = try RawHTTP.ask(server.http, "POST", path)
        return (answer.status, answer.text)
      }
      let made = try post("/backup?directory=\(directory)&verify=true")
      #expect(made.status == 200 && made.text.contains("\"linkedCount\":1") && made.text.contains("\"verifiedCount\":1"))
      _ = try write(server, "cpu,host=c f=1\n")
      #expect(try post("/backup?directory=\(directory)").status == 400)
      let restored = try post("/restore?directory=\(directory)&db=metrics&as=then")
      #expect(restored.status == 200 && restored.text.contains("\"databases\":[\"then\"]") && restored.text.contains("\"rowCount\":2"))
      for (source, count) in [("then.autogen.cpu", 2), ("cpu", 3)] {
        let statement = percentEncoded("SELECT count(f) FROM \(source)")
        let answer = try RawHTTP.ask(server.http, "GET", "/query?db=metrics&epoch=ns&q=\(statement)")
        #expect(answer.text.contains("[0,\(count)]"), "\(answer.text)")
      }
      #expect(try post("/backup?directory=\(directory)&incremental=true&db=then").status == 200)
      #expect(try post("/restore?directory=\(directory)&as=then").status == 409)
      #expect(try post("/restore?directory=\(directory)&db=metrics&as=x").status == 404)
      for wrong in ["/backup", "/backup?directory=here", "/restore?directory=\(server.dataDirectory)"] {
        #expect(try post(wrong).status == 400, "\(wrong)")
      }
      #expect(try RawHTTP.ask(server.http, "GET", "/backup?directory=\(directory)").status == 405)
      #expect(server.stop() == 0)
    }
  }

  /// The names that the interface promises.
  private static let promised = [
    "varve_ingest_lines_total", "varve_ingest_rejects_total", "varve_ingest_bytes_total",
    "varve_udp_datagrams_total",
    "varve_udp_kernel_drops_total", "varve_udp_truncated_total", "varve_udp_overload_drops_total",
    "varve_wal_synced_bytes_total", "varve_wal_syncs_total", "varve_wal_sync_seconds",
    "varve_wal_torn_bytes_total",
    "varve_memtable_bytes", "varve_live_series", "varve_sstable_bytes", "varve_sstables", "varve_windows",
    "varve_window_runs_max", "varve_compaction_pending_bytes", "varve_compaction_written_bytes_total",
    "varve_flush_written_bytes_total", "varve_stall_seconds_total", "varve_write_amplification",
    "varve_space_amplification", "varve_expired_windows_total",
    "varve_expired_bytes_total", "varve_expired_on_arrival_total", "varve_block_cache_bytes",
    "varve_block_cache_hits_total", "varve_block_cache_misses_total",
    "varve_query_seconds",
    "varve_queries_active", "varve_snapshot_oldest_seconds",
    "varve_degraded", "varve_ingest_old_timestamps_total", "varve_read_amplification",
    "varve_bloom_skips_total", "varve_snapshot_pinned_bytes", "varve_corruptions_total",
  ]

  @Test("a statement that fails over its words says in a header where they stand, and nothing but InfluxDB's words in JSON")
  func failurePlaces() throws {
    try withServer { (server: ServerProcess) throws in
      #expect(try write(server, "m,h=a v=1i 1000000000000000000").status == 204)
      let target = "/query?db=metrics&q=\(percentEncoded("SELECT v FROM m; SELECT foo(v) FROM m"))"
      for (rest, words) in [
        ("", "{\"statement_id\":1,\"error\":\"undefined function foo()\"}"),
        ("&types=true", "\"error\":\"undefined function foo()\",\"at\":\"line 1, char 25\"}"), ("&format=csv", "m"),
      ] {
        let answer = try RawHTTP.ask(server.http, "GET", target + rest)
        #expect(answer.status == 200 && answer.headers["x-varve-error-at"] == "line 1, char 25", "\(answer.text)")
        #expect(answer.text.contains(words), "\(answer.text)")
      }
      let fine = try RawHTTP.ask(server.http, "GET", "/query?db=metrics&q=\(percentEncoded("SELECT v FROM m"))")
      #expect(fine.headers["x-varve-error-at"] == nil)
    }
  }

  @Test("the last row of each series is the same in JSON of one line, which takes rows side by side, and in any other")
  func lastRows() throws {
    try withServer { (server: ServerProcess) throws in
      let lines = (0..<400).map { "m,h=h\($0 % 40),r=r\($0 % 3) \($0 % 5 == 0 ? "w" : "v")=\($0)i \(1_000_000_000_000_000_000 + $0)" }
      #expect(try write(server, lines.joined(separator: "\n")).status == 204)
      for tags in ["*", "h, r", "r, h"] {
        let text = "SELECT * FROM m GROUP BY \(tags) ORDER BY time DESC LIMIT 1"
        let target = "/query?db=metrics&epoch=ns&q=\(percentEncoded(text))"
        let plain = try RawHTTP.ask(server.http, "GET", target)
        let pretty = try RawHTTP.ask(server.http, "GET", target + "&pretty=true")
        #expect(plain.text.filter { $0 == "{" }.count == 242 && plain.text.filter { !$0.isWhitespace } == pretty.text.filter { !$0.isWhitespace })
      }
    }
  }
}
