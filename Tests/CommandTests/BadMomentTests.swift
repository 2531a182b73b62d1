import Glibc
import TestSupport
import Testing
import varve

/// What users do to a command in the midst of its work, and terminals that are none.
@Suite("Bad moments", .serialized)
struct BadMomentTests {
  private func command() throws -> BuiltCommand {
    try #require(try BuiltCommand(), "varve is not built beside the tests")
  }

  /// Lines of some hosts, one a second.
  private func write(_ count: Int, to name: String, of command: BuiltCommand) throws {
    try command.write(
      (0..<count).map { "m,host=h\($0 % 50) v=\($0),w=\"text \($0)\" \(1_700_000_000 + $0)000000000\n" }.joined(),
      to: name)
  }

  @Test("descriptors that are closed are told, and no file of a store is taken for them")
  func closedDescriptors() throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve import --data d Fixtures/sample.lp 2>&-; echo $?
      varve export --data d >&-; echo $? >s; varve import --data d <&- ; echo $? >>s; varve query --data d 'SHOW DATABASES' <&- 2>&-
      varve shell --data d <&- >&-; echo $? >>s; cat s; varve export --data d 2>/dev/null | wc -l; varve verify --data d >/dev/null 2>&1; echo $?
      """)
    #expect(outcome.output == "0\nname\nmetrics\n1\n1\n1\n11520\n0\n", "\(outcome.output) \(outcome.errors)")
    #expect(outcome.errors.contains("cannot write to -: Bad file descriptor"), "\(outcome.errors)")
    #expect(outcome.errors.contains("cannot read -: Bad file descriptor"), "\(outcome.errors)")
  }

  @Test("output that finds no room fails; who closes a pipe is not told anything")
  func fullAndClosed() throws {
    let command = try command()
    #expect(try command.run("varve import --data d Fixtures/sample.lp").status == 0)
    for line in [
      "query --data d 'SELECT * FROM cpu'", "export --data d", "export --data d --format sst", "inspect d",
      "parse Fixtures/sample.lp", "stats series --data d", "--help",
    ] {
      let full = try command.run("varve \(line) >/dev/full")
      #expect(full.status == 1 && full.errors.contains("No space left on device"), "\(line): \(full.errors)")
      let closed = try command.run("varve \(line) | true; echo ${PIPESTATUS[0]}")
      #expect(closed.output == "0\n" && !closed.errors.contains("write"), "\(line): \(closed.errors)")
    }
  }

  @Test("a shell on a terminal that cannot move its cursor answers without a pager", arguments: ["TERM=dumb", "TERM="])
  func dumbTerminal(setting: String) throws {
    let command = try command()
    let words = setting.split(separator: "=")
    command.variables[String(words[0])] = words.count > 1 ? String(words[1]) : ""
    let typed = try TypedCommand("varve shell --from Fixtures/sample.lp", of: command, columnCount: 20)
    typed.wait(for: "metrics> ")
    typed.type("SHOW MEASUREMENTS\n")
    let shown = typed.wait(for: "net")
    #expect(!shown.contains("not fully functional") && !shown.contains("RETURN"), "\(shown)")
    typed.wait(for: "metrics> ")
    typed.type("\\q\n")
    #expect(typed.end() == 0)
  }

  @Test("a chart on a terminal of 20 columns has none that is longer")
  func narrowChart() throws {
    let command = try command()
    command.variables["NO_COLOR"] = "1"
    let line =
      "varve query --from Fixtures/sample.lp --time 2026-01-01 --format csv --plot 'SELECT mean(usage_user) FROM cpu GROUP BY time(2h), host'"
    let typed = try TypedCommand(line, of: command, columnCount: 20)
    _ = typed.wait(for: "┤")
    let chart = typed.wait(for: "4: host=dogwood")
    let rows = chart.split(whereSeparator: \.isNewline)
    #expect(rows.count > 10 && rows.allSatisfy { $0.count <= 20 }, "\(chart)")
    #expect(typed.end() == 0)
  }

  @Test("Ctrl-C at any moment ends with 130, leaves no half file, and what is run again is whole")
  func interrupts() throws {
    let command = try command()
    let server = try StartedServer(command)
    try write(60_000, to: "m.lp", of: command)
    #expect(try command.run("varve import --database m m.lp; varve import --data d --database m m.lp").status == 0)
    let outcome = try command.run(
      """
      for line in "query --database m --format csv 'SELECT * FROM m'" "query --from m.lp --plot p.svg 'SELECT v FROM m'" \\
        "export --database m --output out.lp.gz" "export --data d --database m --format sst --output out.tar" \\
        "import --database again --resume place m.lp" "import --data e --resume place2 m.lp"; do
        for time in 0.001 0.01 0.03 0.1 0.2 0.3 0.5; do
          eval "timeout -s INT $time varve $line" >/dev/null 2>>words; status=$?
          case $status in 0|124) ;; *) echo "$status $line" ;; esac
        done
      done
      ls *.part *.new 2>/dev/null
      varve import --database again --resume place m.lp && varve import --data e --resume place2 m.lp
      varve query --database again 'SELECT count(v), sum(v) FROM m'; varve query --data e 'SELECT count(v), sum(v) FROM m'
      """)
    // `timeout` says 124 whatever the command's own status was.
    let whole = "time,count,sum\n1970-01-01T00:00:00Z,60000,1799970000\n"
    #expect(outcome.output == whole + whole, "\(outcome.output) \(outcome.errors)")
    let words = try command.run("grep -v 'interrupted\\|imported, 0 lines refused\\|points exported' words; varve serve --help >/dev/null")
    #expect(words.output.isEmpty, "\(words.output)")
    let status = try command.run(
      "mkfifo f; (timeout --preserve-status -s INT 1 varve import --data e f; echo $?) & exec 3>f; wait")
    #expect(status.output == "130\n" && status.errors.contains("stopped after 0 points: interrupted; run again"), "\(status.errors)")
    #expect(server.stop() == 0)
  }

  @Test("a server that goes away in the middle is told, nothing half bears a whole name, and a resumed import is whole")
  func serverGoesAway() throws {
    let command = try command()
    try write(200_000, to: "m.lp", of: command)
    do {
      let server = try StartedServer(command)
      #expect(try command.run("varve import --database m m.lp").status == 0)
      // Who reads slowly is still there when the server goes.
      let outcome = try command.run(
        """
        mkfifo q x; echo old >out.tar
        (varve query --database m --format csv 'SELECT * FROM m' 2>qe >q; echo $? >qs) & (varve export --database m 2>xe >x; echo $? >xs) &
        (varve import --database again --resume place m.lp 2>ie; echo $? >is) &
        exec 3<q 4<x; head -c 1000 <&3 >/dev/null; head -c 1000 <&4 >/dev/null
        until test -s place; do sleep 0.02; done
        kill -9 \(server.pid); cat <&3 | wc -l >ql; cat <&4 | wc -l >xl; wait
        # What had come by then may have been all of it.
        for one in q x; do
          case $(cat ${one}s) in 1) grep -c broke ${one}e ;; 0) test $(cat ${one}l) -gt 190000; echo $((1 - $?)) ;; esac
        done
        test $(cat is) = 0 || grep -q 'stopped after [0-9]* points: .*; run it again with --resume place' ie; echo $?
        varve export --database m --format sst --output out.tar; echo $?; cat out.tar
        """)
      #expect(outcome.output == "1\n1\n0\n1\nold\n", "\(outcome.output) \(outcome.errors)")
      #expect(outcome.errors.contains("no server answers"), "\(outcome.errors)")
    }
    do {
      // One that takes the question, and goes before it answers.
      let server = try StartedServer(command)
      let outcome = try command.run(
        """
        kill -STOP \(server.pid)
        for line in "query 'SHOW DATABASES'" 'export --output out.tar' 'import m.lp' 'stats'; do (eval "varve $line"; echo $? >>all) & done
        sleep 2; kill -9 \(server.pid); wait; sort all | uniq -c | tr -s ' '; cat out.tar
        """)
      #expect(outcome.output == " 4 1\nold\n", "\(outcome.output) \(outcome.errors)")
      #expect(outcome.errors.contains(" broke: "), "\(outcome.errors)")
    }
    let server = try StartedServer(command)
    let rest = try command.run(
      "varve import --database again --resume place m.lp && varve query --database again 'SELECT count(v), sum(v) FROM m'")
    #expect(rest.output.hasSuffix(",200000,19999900000\n"), "\(rest.output) \(rest.errors)")
    #expect(server.stop() == 0)
  }

  @Test("a file imported twice, one after the other and at the same time, doubles nothing")
  func twice() throws {
    let command = try command()
    let server = try StartedServer(command)
    try write(30_000, to: "m.lp", of: command)
    let outcome = try command.run(
      """
      varve import m.lp & varve import m.lp & varve import m.lp; wait; varve import m.lp
      varve query 'SELECT count(v), sum(v) FROM m'; varve export | sort >a; sort m.lp | wc -l; wc -l <a
      """)
    #expect(
      outcome.output == "time,count,sum\n1970-01-01T00:00:00Z,30000,449985000\n30000\n30000\n",
      "\(outcome.output) \(outcome.errors)")
    let held = try command.run("varve import --data served m.lp")
    #expect(held.status == 1 && held.errors.contains("\(server.pid)"), "\(held.errors)")
    #expect(server.stop() == 0)
  }
}

@Suite("Files that are not what they seem")
struct OddFileTests {
  private func command() throws -> BuiltCommand {
    try #require(try BuiltCommand(), "varve is not built beside the tests")
  }

  @Test("a half-written .gz is told, and the whole one afterwards doubles nothing")
  func halfPacked() throws {
    let command = try command()
    let outcome = try command.run(
      """
      gzip -c Fixtures/sample.lp >whole.gz; size=$(stat -c %s whole.gz)
      for count in 1 2 10 18 1000 $((size / 2)) $((size - 8)) $((size - 1)); do
        head -c $count whole.gz >half.lp.gz; varve import --data d half.lp.gz 2>words; echo "$? $(grep -c 'half.lp.gz is cut\\|half.lp.gz:1:' words)"
        varve query --from half.lp.gz 'SHOW DATABASES' >/dev/null 2>&1
      done | sort | uniq -c | tr -s ' '
      { head -c 5000 whole.gz; head -c 300 /dev/zero; tail -c +5301 whole.gz; } >half.lp.gz; varve import --data d half.lp.gz; echo $?
      cp whole.gz half.lp.gz; varve import --data d half.lp.gz; varve query --data d 'SELECT count(usage_user) FROM cpu'
      """)
    #expect(outcome.output == " 8 1 1\n1\ntime,count\n1970-01-01T00:00:00Z,2880\n", "\(outcome.output) \(outcome.errors)")
    #expect(outcome.errors.contains("half.lp.gz is damaged: not gzip at byte "), "\(outcome.errors)")
  }

  @Test("what a file holds counts, not its name; where that cannot be, the error says what it seems to be")
  func names() throws {
    let command = try command()
    try command.write("time,v\n1700000000,2\n", to: "t.csv")
    let taken = try command.run(
      """
      cp Fixtures/sample.lp plain.lp.gz; gzip -c Fixtures/sample.lp >packed.lp; printf '\\xef\\xbb\\xbfmarked v=1 1\\n' >marked.lp
      varve import --data d plain.lp.gz packed.lp marked.lp && varve query --data d 'SELECT count(v) FROM marked'
      """)
    #expect(taken.output == "time,count\n1970-01-01T00:00:00Z,1\n" && taken.errors.contains("23041 points"), "\(taken.errors)")
    let refused = try command.run(
      """
      varve import --data d t.csv; echo $?; cp Fixtures/sample.lp lie.csv; varve query --from lie.csv 'SHOW DATABASES'; echo $?
      varve import --data d --csv auto lie.csv; echo $?; varve import --data d d; echo $?
      head -c 200000 "$(command -v varve)" >program.lp; varve import --data d --rejects r program.lp; echo $?; grep -c '^# program.lp:1:1:' r
      """)
    #expect(refused.output == "1\n1\n1\n1\n1\n0\n", "\(refused.output)")
    for words in [
      "t.csv is CSV by its name: --csv auto", "lie.csv: no column is named time", "its first line names: cpu", "d: Is a directory",
      "program.lp:1:",
    ] {
      #expect(refused.errors.contains(words), "\(words): \(refused.errors)")
    }
  }

  @Test("CSV with ragged rows and wrong quotes: each row is told with its place, the others are taken")
  func csv() throws {
    let command = try command()
    try command.write(
      "time,host,v\n1700000000,a\n1700000001,a,2,3\n\n1700000002,a,5\n,,\n1700000003,a,1e999\n1700000004,a,\n", to: "ragged.csv")
    try command.write(
      "\u{feff}time,host,v\r\n1700000000,a \"b\" c,1\r\n1700000001,\"a\"\"b\",2\r\n1700000002,\"open,3\r\n1700000003,b,4\r\n",
      to: "quotes.csv")
    try command.write("time;host;v\n1700000000;a;1\n", to: "semicolons.csv")
    try command.write("time,v\n", to: "header.csv")
    let outcome = try command.run(
      "for file in ragged quotes semicolons header; do varve import --data d --csv auto $file.csv; echo $?; done; varve export --data d")
    #expect(
      outcome.output
        == "1\n1\n1\n1\nquotes,host=a\\ \"b\"\\ c v=1.0 1700000000000000000\nquotes,host=a\"b v=2.0 1700000001000000000\n"
        + "ragged,host=a v=5.0 1700000002000000000\n", "\(outcome.output)")
    for words in [
      "ragged.csv:2:12: 2 cells where the header has 3", "ragged.csv:3:14: 4 cells where the header has 3",
      "ragged.csv:6:1: no field has a value", "ragged.csv:7:14: \"1e999\" is no float", "1 points imported, 5 lines refused",
      "stopped after 2 points: quotes.csv:4:12: a quote that is never closed; what stands before it is taken",
      "its first line names: time;host;v", "header.csv: no row stands behind the header",
    ] {
      #expect(outcome.errors.contains(words), "\(words): \(outcome.errors)")
    }
  }

  @Test("more refused lines than an answer names are all told, and no string is cut into what looks like a point")
  func manyRefused() throws {
    let command = try command()
    let server = try StartedServer(command)
    try command.write(
      (0..<3_000).map { "m s=\"x\nfalse v=1 \($0)\ny\",v=\($0) \($0 + 1)\nbad\n" }.joined(), to: "m.lp")
    for target in ["", "--data d"] {
      let outcome = try command.run(
        "varve import \(target) --rejects r m.lp 2>words; tail -1 words; grep -c '^bad' r; varve query \(target) 'SHOW MEASUREMENTS; SELECT count(v) FROM m'")
      #expect(
        outcome.output
          == "3000 points imported, 3000 lines refused\n3000\nname\nm\n\ntime,count\n1970-01-01T00:00:00Z,3000\n",
        "\(target): \(outcome.output)")
    }
    #expect(server.stop() == 0)
  }
}
