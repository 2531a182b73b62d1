import Glibc
import TestSupport
import Testing
import varve

@Suite("The command as users run it")
struct WholeCommandTests {
  private func command() throws -> BuiltCommand {
    try #require(try BuiltCommand(), "varve is not built beside the tests")
  }

  @Test("a file is asked without a server, in every format")
  func fromFile() throws {
    let command = try command()
    let question = "'SELECT max(usage_user) FROM cpu GROUP BY host'"
    let csv = try command.run("varve query --from Fixtures/sample.lp \(question)")
    #expect(csv.status == 0 && csv.errors.isEmpty)
    let lines = csv.output.split(separator: "\n")
    #expect(lines.first == "time,host,max" && lines.count == 5)
    for format in ["table", "json", "jsonl", "line", "markdown", "vertical"] {
      let outcome = try command.run("varve query --from Fixtures/sample.lp --format \(format) \(question)")
      #expect(outcome.status == 0 && outcome.output.contains("dogwood"), "\(format)")
    }
  }

  @Test(
    "help and version go to standard output",
    arguments: [
      ("--version", "varve \(CommandLineTool.version)\n"), ("--help", "  serve "), ("help serve", "  --wal-limit N"),
      ("query --help", "  --plot "),
    ])
  func help(line: String, expected: String) throws {
    let outcome = try command().run("varve \(line)")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.contains(expected) && outcome.output.hasSuffix("\n"))
  }

  @Test("statements come from standard input and files, and a closed pipe ends quietly")
  func sources() throws {
    let command = try command()
    let piped = try command.run(
      "echo 'SHOW MEASUREMENTS; SHOW DATABASES' | varve query --from Fixtures/sample.lp")
    #expect(piped.output == "name\ncpu\ndisk\nmem\nnet\n\nname\nmetrics\n")
    #expect(
      try command.run("echo 'SHOW DATABASES' >q; varve query --from Fixtures/sample.lp --file q").output
        == "name\nmetrics\n")
    let cut = try command.run("varve bench generate S | head -1 >/dev/null; echo ${PIPESTATUS[0]}")
    #expect(cut.output == "0\n" && cut.errors.isEmpty)
  }

  @Test(
    "statement errors are words on standard error and status 1; a parse error runs nothing and shows its place"
  )
  func errors() throws {
    let command = try command()
    let failed = try command.run(
      "varve query --from Fixtures/sample.lp 'SELECT * FROM nodb.x.y; SHOW DATABASES'")
    #expect(failed.status == 1 && failed.output == "name\nmetrics\n")
    #expect(failed.errors.contains("database not found: nodb"))
    let broken = try command.run("varve query --from Fixtures/sample.lp 'SHOW DATABASES; SELEC'")
    #expect(broken.status == 1 && broken.output.isEmpty)
    #expect(broken.errors.contains("\n  SHOW DATABASES; SELEC\n                  ^\n"))
    let misused = try command.run("varve query --formt csv x")
    #expect(misused.status == 2 && misused.errors.contains("did you mean --format?"))
  }

  @Test("an interrupt ends with 130")
  func interrupt() throws {
    let command = try command()
    // A background job of such a shell ignores interrupts until it sets a handler of its own: ask until it is gone.
    let waiting = try command.run(
      "mkfifo f; varve parse f & while kill -INT $! 2>/dev/null; do sleep 0.05; done; wait $!; echo $?")
    #expect(waiting.output == "130\n")
  }

  @Test("lines go into a directory and come out of it; it is inspected and compacted")
  func directory() throws {
    let command = try command()
    let imported = try command.run("varve import --data d Fixtures/sample.lp")
    #expect(imported.status == 0 && imported.errors == "11520 points imported, 0 lines refused\n")
    #expect(try command.run("varve import --data d Fixtures/sample.lp").status == 0)
    #expect(try command.run("varve compact --data d").status == 0)
    let counted = try command.run("varve query --data d 'SELECT count(used) FROM mem'")
    #expect(counted.output.hasSuffix(",2880\n"))
    let inspected = try command.run(
      "varve inspect d && varve inspect d/tables/*/*.sst && varve inspect d/CURRENT")
    #expect(inspected.status == 0 && inspected.output.contains("metrics.autogen (default)"))
    let tar = try command.run(
      "varve export --data d --format sst --output t.tar; varve inspect t.tar; varve inspect --json t.tar | tr , '\\n' | grep rowCount; varve inspect Fixtures/sample.lp; echo $?"
    )
    #expect(
      tar.output.hasPrefix("t.tar: 1 tables, 11520 rows, every checksum holds\ntables/")
        && tar.output.contains("metrics.autogen: 11520 rows of ") && tar.output.hasSuffix("\"rowCount\":11520\n1\n"),
      "\(tar.output)")
    #expect(tar.errors.contains("sample.lp is no SSTable"))
    // A clean stop leaves no log in the directory.
    let log = try command.run(
      """
      varve inspect Fixtures/format-1/0000000017.wal; ls d/wal
      varve inspect --json Fixtures/format-1/0000000017.wal | head -c 9; varve inspect --json d | head -c 9
      """)
    #expect(log.output.contains("log segment ") && log.output.hasSuffix("{\"dump\":\"{\"clock\":"), "\(log.output)")
    let json = try command.run("varve inspect --json d/tables/*/*.sst")
    #expect(json.output.hasPrefix("{") && json.output.contains("\"rowCount\":11520"))
    let refused = try command.run(
      "printf 'm f=1\\nbad\\n' | varve import --data d --rejects r; echo $?; cat r")
    #expect(refused.output == "1\n# -:2:4: missing fields\nbad\n")
    #expect(refused.errors.contains("-:2:4: missing fields\n"))
  }

  @Test("a closed directory is backed up, brought up to date, restored from, and damage is told with its place")
  func backup() throws {
    let command = try command()
    #expect(try command.run("varve import --data d Fixtures/sample.lp").status == 0)
    let first = try command.run("varve backup --data d b --format csv")
    #expect(first.status == 0 && first.output.hasPrefix("linked,copied,kept,removed,bytes,"))
    #expect(first.errors.contains("links are no second copy"))
    #expect(try command.run("varve import --data d Fixtures/sample.lp").status == 0)
    #expect(try command.run("varve backup --data d b").status == 1)
    #expect(try command.run("varve backup --data d --incremental --verify b").status == 0)
    #expect(try command.run("varve inspect b").output.hasPrefix("a backup: every batch through "))
    #expect(try !command.run("varve inspect d").output.contains("backup"))
    let counting = "'SELECT count(used) FROM mem'"
    #expect(try command.run("varve query --data b \(counting)").output.hasSuffix(",2880\n"))
    let restored = try command.run("varve restore --data d --database metrics --as then b --format csv")
    #expect(restored.status == 0 && restored.output.hasPrefix("databases,tables,rows,"))
    #expect(try command.run("varve query --data d --database then \(counting)").output.hasSuffix(",2880\n"))
    let again = try command.run("varve restore --data d --database metrics --as then b")
    #expect(again.status == 1 && again.errors.contains("--as"))
    let damaged = try command.run(
      "cp -r b c && for f in c/tables/*/*.sst; do printf X | dd of=$f bs=1 seek=3000 conv=notrunc 2>/dev/null; done; "
        + "varve restore --data e c")
    #expect(damaged.status == 1 && damaged.errors.contains("/c/tables/"), "\(damaged.errors)")
    #expect(try command.run("varve query --data e 'SHOW DATABASES'").output == "")
    let wrong = try command.run("varve backup --data nothing x")
    #expect(wrong.status == 1 && wrong.errors.contains("nothing/CURRENT"))
    for misused in ["varve backup", "varve restore", "varve backup --data d --server u x"] {
      #expect(try command.run(misused).status == 2)
    }
  }

  private static let plotted =
    "varve query --from Fixtures/sample.lp "
    + "'SELECT mean(used) FROM mem WHERE time < 1767247200s GROUP BY time(10m), host'"

  @Test("a directory shows its windows, what is due, what goes next, and its series, in every format")
  func stats() throws {
    let command = try command()
    #expect(try command.run("varve import --data d Fixtures/sample.lp").status == 0)
    let compaction = try command.run("varve stats compaction --data d")
    #expect(compaction.status == 0 && compaction.errors.isEmpty)
    #expect(compaction.output.hasPrefix("state,jobs_done,written_bytes,pending_bytes\nrunning,0,0,"))
    #expect(compaction.output.contains("\n\ndatabase,policy,start,end,state,runs,tables,rows,bytes,"))
    #expect(compaction.output.contains("metrics,autogen,2025-12-") || compaction.output.contains("metrics,autogen,2026-"))
    let retention = try command.run("varve stats retention --data d")
    #expect(retention.status == 0 && retention.output.contains(",kept for ever: the policy has no TTL\n"))
    let series = try command.run("varve stats series --data d --top 2")
    #expect(series.status == 0 && series.output.contains("metrics,tag key,"))
    let rows = series.output.split(separator: "\n").filter { $0.hasPrefix("metrics,") }
    #expect(rows.count == 7, "\(series.output)")
    let summary = try command.run("varve stats --data d")
    #expect(summary.output.contains("write_amplification,read_amplification,space_amplification,stall_seconds"))
    for view in ["compaction", "retention", "series", ""] {
      for format in ["table", "csv", "json", "jsonl", "line", "markdown", "vertical"] {
        let outcome = try command.run("varve stats \(view) --data d --format \(format)")
        #expect(outcome.status == 0 && outcome.output.contains("metrics"), "\(view) \(format): \(outcome.errors)")
      }
    }
    #expect(try command.run("varve stats ingest --data d").status == 2)
  }

  @Test("charts go to the terminal and to files")
  func charts() throws {
    let command = try command()
    let drawn = try command.run("\(Self.plotted) --plot")
    #expect(drawn.status == 0 && drawn.output.contains("└") && drawn.output.contains("host=birch"))
    #expect(try command.run("\(Self.plotted) --plot p.svg").status == 0)
    #expect(String(decoding: try readWholeFile(command.folder + "/p.svg"), as: UTF8.self).hasPrefix("<svg "))
    #expect(try command.run("\(Self.plotted) --plot p.png").status == 0)
    #expect(try readWholeFile(command.folder + "/p.png").starts(with: [0x89] + Array("PNG\r\n".utf8)))
    let other = try command.run("\(Self.plotted) --plot=p.gif")
    #expect(other.status == 2 && other.errors.contains("FILE.svg or FILE.png"))
  }

  @Test("an answer without numbers makes a picture that says so; a failed statement leaves the old one")
  func emptyChart() throws {
    let command = try command()
    let question = "varve query --from Fixtures/sample.lp --plot p.svg"
    let empty = try command.run("\(question) 'SELECT f FROM nothing' && grep -c 'no numbers over time' p.svg")
    #expect(empty.status == 0 && empty.output == "1\n" && empty.errors.contains("nothing to plot"))
    let failed = try command.run(
      "echo old >p.svg; \(question) 'SELECT * FROM nodb.x.y' 2>/dev/null; echo $?; cat p.svg")
    #expect(failed.output == "1\nold\n")
  }

  @Test("only who speaks HTTP loads what speaks it; without it the error says what to install")
  func lateLibraries() throws {
    let command = try command()
    let server = try StartedServer(command)
    let loaded = "2>&1 >/dev/null | sed -n 's,.*init: .*/\\(lib\\(curl\\|microhttpd\\|edit\\|rsvg\\)\\)[.-].*,\\1,p' | sort -u"
    #expect(try command.run("LD_DEBUG=libs varve --version \(loaded)").output == "")
    #expect(try command.run("LD_DEBUG=libs varve query --from Fixtures/sample.lp 'SHOW MEASUREMENTS' \(loaded)").output == "")
    #expect(try command.run("LD_DEBUG=libs varve query 'SHOW MEASUREMENTS' \(loaded)").output == "libcurl\n")
    // Files that are no libraries hide those of the system.
    let hiding = "mkdir -p no; echo x >no/libcurl.so.4; echo x >no/libmicrohttpd.so.12; export LD_LIBRARY_PATH=no${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    let asking = try command.run("\(hiding); varve query 'SHOW MEASUREMENTS'")
    #expect(asking.status == 1 && asking.errors.contains("no/libcurl.so.4"), "\(asking.errors)")
    let serving = try command.run("\(hiding); varve serve --data other --http 127.0.0.1:0 --tcp off --udp off")
    #expect(serving.status == 1 && serving.errors.contains("libmicrohttpd12"), "\(serving.errors)")
    #expect(server.stop() == 0)
  }

  @Test("only a PNG needs librsvg; without it the error says what to install, and the old picture stays")
  func missingLibrary() throws {
    let command = try command()
    let loaded = "2>&1 >/dev/null | grep -c 'init: .*librsvg'"
    #expect(try command.run("LD_DEBUG=libs \(Self.plotted) --plot p.svg \(loaded)").output == "0\n")
    #expect(try command.run("LD_DEBUG=libs \(Self.plotted) --plot p.png \(loaded)").output == "1\n")
    // A file that is no library hides the one of the system.
    let hiding = "mkdir no; echo x >no/librsvg-2.so.2; export LD_LIBRARY_PATH=no${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    let refused = try command.run("echo old >p.png; \(hiding); \(Self.plotted) --plot p.png")
    #expect(refused.status == 1 && refused.errors.contains("apt install librsvg2-2 fonts-dejavu-core"))
    #expect(try command.run("cat p.png").output == "old\n")
  }
}

@Suite("The command with a server")
struct ServedCommandTests {
  private func command() throws -> (BuiltCommand, StartedServer) {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    return (command, try StartedServer(command))
  }

  @Test("what goes into a server comes out as from the file itself")
  func sameAnswers() throws {
    let (command, server) = try command()
    let imported = try command.run("varve import Fixtures/sample.lp")
    #expect(imported.status == 0 && imported.errors == "11520 points imported, 0 lines refused\n")
    let questions = [
      "SELECT mean(usage_user), max(load1) FROM cpu GROUP BY region, host", "SELECT * FROM net LIMIT 20",
      "SELECT last(throttled), count(usage_idle) FROM cpu; SHOW TAG VALUES WITH KEY = host; SHOW FIELD KEYS",
      "SELECT used_percent FROM mem WHERE host = 'birch' LIMIT 3; SELECT nothing FROM mem",
    ]
    for question in questions {
      for format in ["csv", "json", "jsonl", "line", "table"] {
        let flags = "--format \(format) \"\(question)\""
        let served = try command.run("varve query \(flags)")
        let local = try command.run("env -u VARVE_SERVER varve query --from Fixtures/sample.lp \(flags)")
        #expect(served.status == 0 && served.errors.isEmpty)
        #expect(served.output == local.output, "\(flags)")
      }
    }
    let broken = try command.run("varve query 'SELECT count(x) FORM y'")
    #expect(broken.status == 1 && broken.errors.contains("\n  SELECT count(x) FORM y\n                  ^\n"))
    let refused = try command.run(
      "{ echo 'm f=1'; for i in $(seq 250); do echo \"bad$i\"; done; } | varve import --rejects r; echo $?; grep -c '^bad' r"
    )
    #expect(refused.output == "1\n250\n")
    #expect(
      try command.run("varve compact --wait && varve stats && varve stats ingest --format csv").status == 0)
    #expect(server.stop() == 0)
    #expect(try command.run("varve query 'SHOW DATABASES'").errors.contains("start one with \"varve serve\""))
  }

  @Test("a bench over each transport counts what it sent", arguments: ["tcp", "udp", "http"])
  func bench(transport: String) throws {
    let (command, server) = try command()
    let outcome = try command.run(
      "varve bench ingest --workload sample --to \(transport) --connections 2 --rate \(transport == "udp" ? 20_000 : 0)"
        + " --pid \(server.pid) --format csv")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    try #require(lines.count == 2)
    let row = Dictionary(zip(lines[0], lines[1]), uniquingKeysWith: { first, _ in first })
    #expect(row["lines"] == "11520" && row["check"] == "right")
    if transport != "udp" { #expect(row["accepted"] == "11520") }
    let times = try ["batch_p50_ms", "batch_p99_ms", "batch_max_ms"].map { try #require(row[$0]) }.map { Double($0) ?? 0 }
    #expect(transport == "http" ? times[0] > 0 && times == times.sorted() : times == [0, 0, 0])
  }

  @Test("every example of help runs")
  func examples() throws {
    let (command, server) = try command()
    #expect(
      try command.run("varve import Fixtures/sample.lp && varve import --data varve-data Fixtures/sample.lp")
        .status == 0)
    // `serve` runs on; the large workload and `doctor`, whose status is the machine's, are tried elsewhere.
    for subcommand in CommandLineTool.subcommands where !["serve", "doctor"].contains(subcommand.name) {
      for example in subcommand.examples where !example.line.contains("--workload S") {
        let outcome = try command.run(example.line)
        #expect(outcome.status == 0, "\(example.line): \(outcome.errors)")
      }
    }
    #expect(server.stop() == 0)
  }
}
