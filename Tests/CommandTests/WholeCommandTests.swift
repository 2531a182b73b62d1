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
    let json = try command.run("varve inspect --json d/tables/*/*.sst")
    #expect(json.output.hasPrefix("{") && json.output.contains("\"rowCount\":11520"))
    let refused = try command.run(
      "printf 'm f=1\\nbad\\n' | varve import --data d --rejects r; echo $?; cat r")
    #expect(refused.output == "1\n# -:2:4: missing fields\nbad\n")
    #expect(refused.errors.contains("-:2:4: missing fields\n"))
  }

  @Test("charts go to the terminal and to files; PNG says what to do")
  func charts() throws {
    let command = try command()
    let base =
      "varve query --from Fixtures/sample.lp 'SELECT mean(used) FROM mem WHERE time < 1767247200s GROUP BY time(10m), host'"
    let drawn = try command.run("\(base) --plot")
    #expect(drawn.status == 0 && drawn.output.contains("└") && drawn.output.contains("host=birch"))
    #expect(try command.run("\(base) --plot p.svg").status == 0)
    #expect(String(decoding: try readWholeFile(command.folder + "/p.svg"), as: UTF8.self).hasPrefix("<svg "))
    let picture = try command.run("\(base) --plot p.png")
    #expect(picture.status == 2 && picture.errors.contains("rsvg-convert"))
  }
}
