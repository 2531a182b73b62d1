import Foundation
import TestSupport
import Testing

/// The programs that speak to InfluxDB 1.x, run for real against a server of ours, where they are installed.
///
/// Python's libraries are looked for with the interpreter that `VARVE_CLIENT_PYTHON` names, else with the one that `deploy/setup` has
/// made, else with `python3`. What is done through each is in `deploy/docs/clients.md`.
@Suite("Live clients", .serialized)
struct LiveClientTests {
  private static let scripts = packageRoot + "/Tests/CommandTests/Clients"
  private static let python: String = {
    if let given = ProcessInfo.processInfo.environment["VARVE_CLIENT_PYTHON"] { return given }
    let made = packageRoot + "/.build/clients/bin/python"
    return FileManager.default.isExecutableFile(atPath: made) ? made : "python3"
  }()
  private static let transcript = (sharedFolder ?? "") + "/captures/transcripts/influx-cli-1.6.7.jsonl"
  private static let hasShell =
    FileManager.default.isReadableFile(atPath: transcript)
    && FileManager.default.isExecutableFile(atPath: "/usr/bin/influx")
  private static let collectd = "/usr/sbin/collectd"
  private static let hasCollectd =
    FileManager.default.isExecutableFile(atPath: collectd)
    && FileManager.default.fileExists(atPath: "/usr/lib/collectd/write_influxdb_udp.so")

  private static func imports(_ module: String) -> Bool { run(python, ["-c", "import \(module)"]).status == 0 }

  /// Runs a program to its end; what it wrote.
  private static func run(_ program: String, _ arguments: [String]) -> (status: Int32, words: String) {
    do {
      // A transcript is many calls of a client, each a process of its own.
      let outcome = try ChildProcess.run([program] + arguments, isJoined: true, upTo: 900)
      return (outcome.status, outcome.text)
    } catch { return (-1, "\(error)") }
  }

  private func withServer(_ arguments: [String] = [], _ body: (ServerProcess, String) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory + "/data", arguments: arguments)
      try body(server, directory)
      #expect(server.stop() == 0)
    }
  }

  /// Calls of the shell that print something else here than on InfluxDB 1.6.7, and why.
  private static let differing: [String: String] = [
    "connect and show databases": "the database that UDP and TCP write to is there from the start",
    "show continuous queries": "likewise",
    "show diagnostics": "shards are windows: their numbers and bounds are ours",
    "insert field type conflict": "columns of two types live side by side",
    "select after insert": "so that the answer says which was read",
    "delete by field (error)": "no shard is named in the message",
  ]

  /// One that prints something else until a merge, which comes in its own time, has taken away what was deleted, and its type.
  private static let differingAtFirst = "count after delete"

  @Test(
    "influx 1.x prints for every call what it printed with InfluxDB",
    .enabled(if: hasShell, "skipped: influx or its transcript is not here"))
  func shell() throws {
    try withServer { server, directory in
      let found = Self.run("python3", [Self.scripts + "/influx_cli.py", server.http, Self.transcript, directory])
      let lines = found.words.split(separator: "\n")
      let names = lines.filter { $0.hasPrefix("FAIL ") }.map { line in
        line.dropFirst(5).split(separator: "|")[0].trimmingCharacters(in: .whitespaces)
      }
      let others = Set(names).subtracting([Self.differingAtFirst])
      #expect(others == Set(Self.differing.keys), "\(found.words.suffix(4_000))")
      #expect(lines.count { $0.hasPrefix("ok ") } + names.count == 70)
    }
  }

  @Test(
    "influxdb-python writes, asks and administers",
    .enabled(if: imports("influxdb"), "skipped: Python's influxdb is not here"))
  func python1() throws {
    try withServer { server, _ in
      let port = server.udp.split(separator: ":").last.map(String.init) ?? ""
      let found = Self.run(Self.python, [Self.scripts + "/influxdb_python.py", server.http, port])
      #expect(found.status == 0, "\(found.words.suffix(2_000))")
    }
  }

  @Test(
    "influxdb-client writes, and hears what is not offered",
    .enabled(if: imports("influxdb_client"), "skipped: Python's influxdb_client is not here"))
  func python2() throws {
    try withServer { server, _ in
      let found = Self.run(Self.python, [Self.scripts + "/influxdb_client_2.py", server.http])
      #expect(found.status == 0, "\(found.words.suffix(2_000))")
    }
  }

  @Test(
    "collectd's datagrams arrive, times, types and all",
    .enabled(if: hasCollectd, "skipped: collectd is not here"))
  func collectdPlugin() throws {
    try withServer(["--database", "collectd", "--precision", "ms"]) { server, directory in
      let parts = server.udp.split(separator: ":")
      let configuration = """
        Hostname "probe"
        FQDNLookup false
        BaseDir "\(directory)"
        PIDFile "\(directory)/collectd.pid"
        Interval 1
        LoadPlugin load
        LoadPlugin memory
        LoadPlugin uptime
        LoadPlugin write_influxdb_udp
        <Plugin write_influxdb_udp>
          Server "\(parts[0])" "\(parts[1])"
          StoreRates true
        </Plugin>

        """
      try configuration.write(toFile: directory + "/collectd.conf", atomically: false, encoding: .utf8)
      let before = Date()
      let process = try ChildProcess([Self.collectd, "-f", "-C", directory + "/collectd.conf"])
      func ask(_ statement: String) throws -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert("_")
        let text = statement.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return Self.run("curl", ["-s", "http://\(server.http)/query?db=collectd&epoch=ms&q=\(text)"]).words
      }
      let wanted = ["load", "memory", "uptime"]
      var names = ""
      while Date().timeIntervalSince(before) < 60 {
        names = try ask("SHOW MEASUREMENTS")
        if wanted.allSatisfy({ names.contains("[\"\($0)\"]") }) { break }
        usleep(50_000)
      }
      // Told to end it would first wait for all its plugins.
      process.kill()
      #expect(wanted.allSatisfy { names.contains("[\"\($0)\"]") }, "\(names)")
      let memory = try ask("SELECT value FROM memory WHERE host = 'probe' AND type_instance = 'free' LIMIT 1")
      let time = memory.components(separatedBy: "[[").last?.split(separator: ",").first.flatMap { Double($0) } ?? 0
      #expect(abs(time / 1_000 - before.timeIntervalSince1970) < 120, "\(memory)")
      let rejected = Self.run("curl", ["-s", "http://\(server.http)/rejects"]).words
      #expect(rejected == "{\"rejects\":[]}\n")
    }
  }

  @Test("curl: ping, a packed body, a form, chunks, CSV, a stream to a pipe")
  func curl() throws {
    try withServer { server, directory in
      func curl(_ arguments: String...) -> String { Self.run("curl", ["-s", "-S"] + arguments).words }
      let base = "http://\(server.http)"
      #expect(curl("-o", "/dev/null", "-w", "%{http_code}", "\(base)/ping") == "204")
      #expect(curl("\(base)/ping?verbose=true") == "{\"version\":\"1.8.10\"}\n")
      let lines = (0..<30_000).map { "m,h=a v=\($0)i \($0)000000000" }.joined(separator: "\n")
      try lines.write(toFile: directory + "/lines", atomically: false, encoding: .utf8)
      #expect(Self.run("gzip", ["-k", directory + "/lines"]).status == 0)
      let write = "\(base)/write?db=metrics&precision=ns&consistency=all&rp="
      #expect(curl("-w", "%{http_code}", "-H", "Content-Encoding: gzip", "--data-binary", "@\(directory)/lines.gz", write) == "204")
      #expect(curl("-w", "%{http_code}", "-T", "\(directory)/lines", "-X", "POST", "-H", "Transfer-Encoding: chunked", write) == "204")
      let count = curl("-d", "db=metrics", "-d", "epoch=s", "--data-urlencode", "q=SELECT count(v) FROM m", "\(base)/query")
      #expect(count == "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\"columns\":[\"time\",\"count\"],\"values\":[[0,30000]]}]}]}\n")
      let all = ["-G", "--data-urlencode", "q=SELECT v FROM m", "-d", "db=metrics", "\(base)/query"]
      let csv = Self.run("curl", ["-s", "-H", "Accept: application/csv"] + all).words
      #expect(csv.hasPrefix("name,tags,time,v\nm,,0,0\nm,,1000000000,1\n") && csv.split(separator: "\n").count == 30_001)
      let plain = Self.run("curl", ["-s"] + all).words
      #expect(Self.run("curl", ["-s", "--compressed"] + all).words == plain && plain.count > 500_000)
      let chunks = Self.run("curl", ["-s", "-d", "chunked=true", "-d", "chunk_size=7000"] + all).words.split(separator: "\n")
      #expect(chunks.count == 5 && chunks.dropLast().allSatisfy { $0.hasSuffix("\"partial\":true}],\"partial\":true}]}") })
    }
  }
}
