import Glibc
import TestSupport
import Testing
import varve

@Suite(
  "A database brought over from InfluxDB",
  .enabled(if: InfluxProcess.binary != nil, "no influxd is installed here: nothing to bring over"))
struct MigrationTests {
  @Test("points, types and policies come over exactly, a run that was stopped goes on, and both are compared")
  func migration() throws {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    let influx = try InfluxProcess(try #require(InfluxProcess.binary), directory: command.folder)
    defer { influx.stop() }
    let server = try StartedServer(command)
    command.variables["INFLUX"] = "http://\(influx.http)"
    let points = (0..<3_000).map {
      "m,host=h\($0 % 7),zone=a\\ b v=\($0),n=\($0)i,ok=true,s=\"x \($0), \\\"q\\\"\" \(1_700_000_000 + $0 * 60)\n"
    }
    let odd = "old v=1 -86400\nold v=2 -31536000\nodd v=-0.0 1\nodd,t=\\=x v=1e-300,e=5 2\nlarge i=9007199254740993i,f=9007199254740992 3\n"
    try command.write(points.joined() + odd, to: "points")
    let made = try command.run(
      """
      ask() { curl -s -o /dev/null "$INFLUX/query" --data-urlencode "q=$1"; }
      ask 'CREATE DATABASE "old one"'; ask 'CREATE RETENTION POLICY week ON "old one" DURATION 8w REPLICATION 1'
      now=$(date +%s)
      curl -s -w '%{http_code}' "$INFLUX/write?db=old%20one&precision=s" --data-binary @points
      curl -s -w '%{http_code}' "$INFLUX/write?db=old%20one&precision=s&rp=week" --data-binary "short,host=a v=1 $now"
      """)
    #expect(made.output == "204204", "\(made.output)")
    let flags = "--from-influxdb \(command.variables["INFLUX"] ?? "") --database 'old one'"
    let outcome = try command.run(
      "varve import \(flags) --as fresh --resume place; echo $?; varve import \(flags) --as fresh --resume place; echo $?"
    )
    #expect(outcome.output == "0\n0\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("3006 points imported; counts and sums of every series are those of"))
    #expect(outcome.errors.contains("\n0 points imported; counts and sums"))
    let questions = """
      varve query --database fresh --format csv 'SHOW RETENTION POLICIES' | cut -d, -f1,2,5
      varve query --database fresh 'SELECT count(v) FROM old; SELECT f, i FROM large; SELECT e, v FROM odd; SELECT s FROM m WHERE n = 17' --precision ns
      varve export --database fresh --measurement m | sort >ours
      varve import --data direct --precision s points >/dev/null 2>&1; varve export --data direct --measurement m | sort | cmp - ours && wc -l <ours
      """
    let answers = try command.run(questions)
    #expect(
      answers.output.contains("autogen,0s,true") && answers.output.contains("week,1344h0m0s,false"),
      "\(answers.output)")
    #expect(answers.output.contains("3000000000,9007199254740992,9007199254740993") && answers.output.contains("time,count\n0,2\n"), "\(answers.output)")
    #expect(
      answers.output.contains("x 17, \"\"q\"\"") && answers.output.hasSuffix("3000\n"),
      "\(answers.output) \(answers.errors)")
    // What was changed here since is found.
    let changed = try command.run(
      "curl -s \"$VARVE_SERVER/write?db=fresh&precision=s\" --data-binary 'm,host=h1,zone=a\\ b v=5 1700000060'; varve import \(flags) --as fresh --resume place"
    )
    #expect(changed.status == 1 && changed.errors.contains("sum(v) is "), "\(changed.errors)")
    let wrong = try command.run(
      "varve import --from-influxdb \(influx.http) --database nodb; varve import --from-influxdb 127.0.0.1:1 --database x"
    )
    #expect(
      wrong.status == 1 && wrong.errors.contains("database not found: nodb")
        || wrong.errors.contains("no database nodb"), "\(wrong.errors)")
    #expect(wrong.errors.contains("no server answers"))
    #expect(server.stop() == 0)
  }
}
