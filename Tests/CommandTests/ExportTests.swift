import Glibc
import TestSupport
import Testing
import varve

@Suite("Export, import and files without a server")
struct ExportTests {
  private static let mixed =
    "mix,host=a v=1i,s=\"a\\\"b\\\\\nc,d\",ok=true,u=18446744073709551615u 1\nmix,host=a v=1.5,s=\"\" 2\n"
    + "mix v=-0.0,e=1e-300,f=0.1,g=123456789012345680.0 3\nmix,h\\ x=a\\,b v=\"t\" 4\n"
    + "other,host=\u{fc} v=-9223372036854775808i,w=false -5\n"

  private func command() throws -> BuiltCommand {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    try command.write(Self.mixed, to: "mixed.lp")
    let made = try command.run("varve import --data d mixed.lp Fixtures/sample.lp")
    #expect(made.status == 0)
    return command
  }

  @Test(
    "each form but jsonl comes back in exactly",
    arguments: [
      ("line", ""), ("csv", "--csv auto"), ("influx", ""),
    ])
  func roundTrip(format: String, importFlags: String) throws {
    let command = try command()
    #expect(try command.run("varve export --data d --format \(format) --output out.gz").status == 0)
    #expect(try command.run("varve import --data e \(importFlags) out.gz").status == 0)
    let outcome = try command.run("varve export --data d >a; varve export --data e | cmp - a && wc -l <a")
    #expect(outcome.status == 0 && Int(outcome.output.filter(\.isNumber)) ?? 0 > 1_000)
  }

  @Test("what is asked for is in it and nothing else")
  func selection() throws {
    let command = try command()
    func lines(_ flags: String) throws -> [String] {
      let outcome = try command.run("varve export --data d \(flags)")
      #expect(outcome.status == 0)
      return outcome.output.split(separator: "\n").map(String.init)
    }
    #expect(try lines("--measurement other") == ["other,host=ü v=-9223372036854775808i,w=false -5"])
    // Integers and floats of one field are compared as one, and written as they are.
    #expect(try lines("--measurement mix --where \"host = 'a' AND v > 1\"") == ["mix,host=a s=\"\",v=1.5 2"])
    #expect(try lines("--measurement mix --where \"v < 2\" --format jsonl").count == 3)
    #expect(try lines("--measurement mix --start 1970-01-02") == [])
    #expect(
      try lines("--end 1970 --measurement other --measurement mix") == [
        "other,host=ü v=-9223372036854775808i,w=false -5"
      ])
    #expect(
      try lines("--measurement mix --format jsonl").last
        == "{\"name\":\"mix\",\"tags\":{\"h x\":\"a,b\"},\"time\":4,\"fields\":{\"v\":\"t\"}}")
    let influx = try lines("--format influx")
    #expect(influx.first == "# DDL" && influx.contains("# CONTEXT-RETENTION-POLICY:autogen"))
  }

  @Test(
    "misuse is told and leaves no file",
    arguments: [
      ("--where 'v >'", "found EOF"), ("--where 'v > 1) OR (v < 1; DROP DATABASE metrics'", "error parsing"),
      ("--where 'v > 1 GROUP BY host'", "error parsing"), ("--database nodb", "database not found: nodb"),
      ("--policy nope", "policy not found"),
      ("--start noon", "is no time"), ("--tz Mars/X", "Mars/X"),
    ])
  func misuse(flags: String, words: String) throws {
    let command = try command()
    let outcome = try command.run(
      "varve export --data d \(flags) --output out.lp; echo $?; ls out.lp* 2>/dev/null")
    #expect(outcome.output == "1\n" || outcome.output == "2\n", "\(outcome.output)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
  }

  @Test("a pipe, a device and a link are written to and stay what they are; a file is replaced when it is whole")
  func kindsOfOutput() throws {
    let command = try command()
    let outcome = try command.run(
      """
      out() { varve export --data d --measurement other --output "$1" 2>/dev/null; }
      mkfifo pipe; cat pipe >got & out pipe; wait; test -p pipe && cat got
      ln -s target link; out link; test -L link && cat target
      ln -s /dev/null nothing; out nothing; test -L nothing && test -c /dev/null && ls pipe.part link.part nothing.part 2>/dev/null
      echo old >file; out file; cat file
      """)
    let line = "other,host=ü v=-9223372036854775808i,w=false -5\n"
    #expect(outcome.output == String(repeating: line, count: 3), "\(outcome.output) \(outcome.errors)")
  }

  @Test("names that line protocol cannot write are told, and are in the other forms")
  func unwritable() throws {
    let command = try command()
    try command.write("#measurement back\\,time,v:float\n,1,2.5\n", to: "odd.csv")
    let made = try command.run(
      "varve import --data o --csv auto odd.csv; varve export --data o --format csv; varve export --data o")
    // It depends on the parser alone whether such a name can come in; where it does, it is not lost in silence.
    if made.output.contains("2.5") {
      #expect(made.status == 1 && made.errors.contains("names that line protocol cannot write"))
    }
  }

  @Test("CSV by a mapping: roles, names, units; rows that do not fit are refused with line and column")
  func csv() throws {
    let command = try #require(try BuiltCommand())
    let rows =
      "when,station,temp_c,\"note, long\",n,skip\n1700000000,\"a \"\"x\"\"\",21.5,\"two\nlines\",3,z\r\n"
      + "1700000001.5,b,,hello,,z\n\n1700000002,b,warm,,1,z\n1700000003,b,1,2\nlater,b,1,,,\n1700000004,b,,,,\n"
    try command.write(rows, to: "rows.csv")
    let mapping = "weather: when=time:s, station=tag, temp_c=float>temperature, note, long=string, n=integer"
    let bad = try command.run("varve import --data d --csv '\(mapping)' rows.csv")
    #expect(bad.status == 1 && bad.errors.contains("\"note\" is not COLUMN=ROLE"))
    let outcome = try command.run(
      "varve import --data d --rejects refused --csv 'weather: when=time:s, station=tag, temp_c=float>temperature, n=integer' rows.csv"
    )
    #expect(outcome.status == 1)
    for words in [
      "rows.csv:6:14: \"warm\" is no float", "rows.csv:7:", "4 cells where the header has 6",
      "rows.csv:8:1: \"later\" is no time",
      "rows.csv:9:1: no field has a value", "1 points imported",
    ] {
      #expect(outcome.errors.contains(words) || words.hasPrefix("1 points"), "\(words) in \(outcome.errors)")
    }
    let lines = try command.run("varve export --data d").output
    #expect(lines == "weather,station=a\\ \"x\" n=3i,temperature=21.5 1700000000000000000\n")
    for (mapping, words) in [
      ("when=time", "no measurement"), ("m: nope=tag", "no column \"nope\""),
      ("m: when=hour", "no role \"hour\""),
      ("m: when=time", "no column is a field"), ("m: when=time,when=tag", "named twice"),
      ("m: when=time:x", "no unit"),
    ] {
      let outcome = try command.run("varve import --data d --csv '\(mapping)' rows.csv")
      #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
    }
    try command.write("time,v\n1,\"open\n2,3\n", to: "open.csv")
    let open = try command.run("varve import --data d --csv auto open.csv")
    #expect(open.status == 1 && open.errors.contains("open.csv:2:3: a quote that is never closed"))
  }

  @Test("an import of CSV that is stopped goes on where it was, and nothing is doubled")
  func resumedCSV() throws {
    let command = try #require(try BuiltCommand())
    let rows = "time,host,v\n" + (0..<50_000).map { "\(1_700_000_000 + $0),h\($0 % 7),\($0)\n" }.joined()
    try command.write(rows, to: "rows.csv")
    let whole = try command.run(
      "varve import --data d --csv auto --resume place rows.csv && varve import --data d --csv auto --resume place rows.csv"
    )
    #expect(
      whole.status == 0 && whole.errors.contains("50000 points imported")
        && whole.errors.contains("0 points imported"))
    // As after a stop: the place of an earlier record.
    let offset =
      rows.utf8.prefix(300_000).lastIndex(of: 0x0a).map {
        rows.utf8.distance(from: rows.startIndex, to: $0) + 1
      } ?? 0
    try command.write("\(offset) rows.csv\n", to: "place")
    let rest = try command.run(
      "varve import --data e --csv auto --resume place rows.csv; varve export --data e | wc -l; wc -l <rows.csv"
    )
    let counts = rest.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    #expect(counts.count == 2 && counts[0] < counts[1] - 1 && counts[0] > 20_000)
  }

  @Test("questions to files: several at once, tables, CSV, and what is not what its name says")
  func files() throws {
    let command = try command()
    let closed = try command.run(
      """
      varve compact --data d >/dev/null 2>&1; varve export --data d --measurement mix --format csv --output mix.csv
      sst=$(find d -name '*.sst' | tr '\\n' ' ' | sed 's/ / --from /g; s/ --from $//')
      varve query --from $sst "SELECT count(usage_user) FROM cpu; SELECT count(u) FROM mix"
      varve query --from mix.csv --from Fixtures/sample.lp --from mixed.lp "SHOW MEASUREMENTS"
      varve query --from mix.csv "SELECT u FROM mix WHERE host = 'a'" --precision ns
      """)
    #expect(
      closed.output == "time,count\n1970-01-01T00:00:00Z,2880\n\ntime,count\n1970-01-01T00:00:00Z,1\n"
        + "name\ncpu\ndisk\nmem\nmix\nnet\nother\ntime,u\n1,18446744073709551615\n",
      "\(closed.output) \(closed.errors)")
    try command.write("cpu,host=a v=1 1\n", to: "false.sst")
    try command.write("time,v\n1,2\n", to: "half.csv")
    let broken = try command.run(
      "varve query --from false.sst 'SHOW DATABASES'; echo $?; gzip -c mixed.lp | head -c 60 >half.lp.gz; varve query --from half.lp.gz 'SHOW DATABASES'; echo $?; "
        + "varve query --from none.lp 'SHOW DATABASES'; echo $?; varve query --from half.csv 'SELECT v FROM half'; echo $?"
    )
    #expect(broken.output.hasPrefix("1\n1\n1\ntime,v\n"), "\(broken.output)")
    for words in ["false.sst", "half.lp.gz is cut", "cannot open none.lp"] {
      #expect(broken.errors.contains(words), "\(broken.errors)")
    }
  }
}

@Suite("What a server is asked beside questions")
struct ServerCommandTests {
  private func command() throws -> (BuiltCommand, StartedServer) {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    return (command, try StartedServer(command))
  }

  @Test("an export over HTTP is what a closed directory gives, packed and cut by where, and misuse is told")
  func exportServer() throws {
    let (command, server) = try command()
    #expect(try command.run("varve import Fixtures/sample.lp").status == 0)
    for flags in [
      "", "--format csv", "--format jsonl", "--format influx",
      "--measurement cpu --where \"host = 'alder'\" --end 2026-01-01T02:00:00Z",
    ] {
      #expect(try command.run("varve export \(flags) --output served.out").status == 0, "\(flags)")
      let other = try command.run(
        "varve import --data direct Fixtures/sample.lp >/dev/null 2>&1; varve export --data direct \(flags) | cmp - served.out && wc -c <served.out"
      )
      #expect(
        other.status == 0 && Int(other.output.filter(\.isNumber)) ?? 0 > 1_000, "\(flags) \(other.errors)")
    }
    let packed = try command.run(
      "curl -s --compressed \"$VARVE_SERVER/export?db=metrics\" | varve parse | head -1; curl -s -o /dev/null -w '%{http_code} ' \"$VARVE_SERVER/export?db=nodb\"; "
        + "curl -s -w '%{http_code} ' \"$VARVE_SERVER/export?db=metrics&format=xml\"; curl -s -w '%{http_code}' -G \"$VARVE_SERVER/export?db=metrics\" --data-urlencode 'where=v >'"
    )
    #expect(
      packed.output.contains("\"measurement\":\"cpu\"") && packed.output.contains("404 ")
        && packed.output.contains("no format xml"))
    #expect(packed.output.contains("found EOF") && packed.output.hasSuffix("400"), "\(packed.output)")
    #expect(server.stop() == 0)
  }

  @Test("top says what a server does, a line an interval")
  func top() throws {
    let (command, server) = try command()
    let outcome = try command.run(
      "varve top --count 8 --interval 500ms >top & sleep 1.2; varve import Fixtures/sample.lp 2>/dev/null; wait; cat top; varve top --interval 0; echo $?"
    )
    let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(
      lines.count == 10 && lines[0].prefix(2) == ["lines/s", "refused/s"] && lines[9] == ["2"],
      "\(outcome.output)")
    #expect(lines[1..<9].allSatisfy { $0.count == lines[0].count })
    #expect(lines[1..<9].contains { $0[0] != "0" } && lines[1..<9].contains { $0[0] == "0" })
    #expect(server.stop() == 0)
    #expect(try command.run("varve top").errors.contains("start one with"))
  }

  @Test(
    "--follow gives what was there from a time on, then what comes, once each; stretches of time when they are over"
  )
  func follow() throws {
    let (command, server) = try command()
    let script = """
      now=$(date +%s)
      add() { curl -s "$VARVE_SERVER/write?db=metrics&precision=s" --data-binary "$1"; }
      add "m,host=a v=0 $((now - 3000))"; add "m,host=a v=1 $((now - 30))"
      varve query --follow --time=-20m --format csv 'SELECT v FROM m GROUP BY host' >points &
      points=$!
      varve query --follow --time=-20m --format csv --precision s 'SELECT count(v) FROM m GROUP BY time(2s) fill(none)' >buckets &
      buckets=$!
      sleep 2
      add "m,host=b v=2 $((now - 10))"; add "m,host=a v=1 $((now - 30))"; add "m,host=a v=3 $((now - 25))"
      sleep 2.5
      kill -INT $points $buckets
      wait $points; echo $?
      cut -d, -f2- points
      cut -d, -f2 buckets | sort | uniq -c | tr -s ' '
      """
    let outcome = try command.run(script)
    #expect(outcome.output.hasPrefix("130\nhost,v\na,1\n"), "\(outcome.output) \(outcome.errors)")
    #expect(
      outcome.output.contains("b,2\n") && outcome.output.contains("a,3\n") && !outcome.output.contains("a,0"))
    #expect(outcome.output.components(separatedBy: "a,1\n").count == 2)
    #expect(outcome.output.contains(" 1 count"))
    for (line, words) in [
      ("'SELECT mean(v) FROM m'", "--follow takes one SELECT"),
      ("'SHOW DATABASES'", "--follow takes one SELECT"),
      ("--from Fixtures/sample.lp 'SELECT v FROM m'", "needs a server"),
    ] {
      let outcome = try command.run("varve query --follow \(line)")
      #expect(outcome.status == 2 && outcome.errors.contains(words), "\(outcome.errors)")
    }
    #expect(server.stop() == 0)
  }
}

extension String {
  /// The parts between occurrences of a text.
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}
