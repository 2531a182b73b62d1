import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// Statements over several measurements: what one lacks, and values side by side.
@Suite("Several measurements")
struct SeveralMeasurementsTests {
  private static let lines = """
    cpu,host=a usage=10,idle=1i 1000
    cpu,host=b usage=20 1000
    cpu,host=a usage=30 2000
    mem,host=a used=4,size=8i 1000
    mem,host=b used=5 2000
    mem,host=a used=6 3000
    """

  private static func snapshot(_ lines: String) -> Snapshot { Snapshot.ofLines([lines], windowLength: 10_000) }

  /// Each series as one line: name, tags, rows.
  private static func ask(
    _ text: String, _ catalog: FakeCatalog = FakeCatalog("d", snapshot(lines))
  ) throws -> [String] {
    var out: [String] = []
    try QueryEngine(catalog: catalog).run(QueryRequest(text: text, database: "d", now: 5_000)) { result in
      if let error = result.error { out.append(error) }
      for series in result.series {
        let tags = series.tags.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        let rows = (0..<series.rowCount).map { row in
          "\(series.timestamps?[row] ?? -1):" + series.columns.map { shown(modelValue($0, row)) }.joined(separator: ",")
        }
        out.append("\(series.name)[\(tags)] " + rows.joined(separator: " "))
      }
    }
    return out
  }

  private static func shown(_ value: ModelValue?) -> String {
    switch value {
    case nil: "-"
    case .float(let number): "\(number)"
    case .integer(let number): "\(number)i"
    case .unsigned(let number): "\(number)u"
    case .boolean(let answer): "\(answer)"
    case .string(let text): text
    }
  }

  @Test(
    "what one measurement lacks is filled with the number, what all lack where the function has a type of its own",
    arguments: [
      (
        "SELECT mean(usage), mean(nosuch), count(nosuch), last(nosuch) FROM cpu WHERE time > 0 fill(7)",
        ["cpu[] 1:20.0,7.0,7i,-"]
      ),
      (
        "SELECT mean(usage), count(used), max(nosuch) FROM cpu, mem WHERE time > 0 fill(7)",
        ["cpu[] 1:20.0,7i,-", "mem[] 1:7.0,3i,-"]
      ),
      (
        "SELECT mean(usage), count(used) FROM cpu, mem WHERE time > 0",
        ["cpu[] 1:20.0,-", "mem[] 1:-,3i"]
      ),
    ])
  func filled(text: String, answer: [String]) throws {
    #expect(try Self.ask(text) == answer)
  }

  @Test("counts of a column without values in the first buckets are zero there, with a limit too")
  func narrowed() throws {
    let catalog = FakeCatalog("d", Self.snapshot((0..<100).map { "m f=1\($0 == 99 ? ",late=1" : "") \($0)" }.joined(separator: "\n")))
    let statement = "SELECT count(f), count(late) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(1ns)"
    #expect(try Self.ask(statement + " LIMIT 1 OFFSET 2", catalog) == ["m[] 2:1i,0i"])
    #expect(try Self.ask("SELECT max(late) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(1ns) fill(5) LIMIT 2", catalog) == ["m[] 0:5.0 1:5.0"])
  }

  @Test("an area is the same whatever stands beside it")
  func areas() throws {
    // Points of one time, of which the last is the corner: which one that is follows from the series with a value alone.
    let catalog = FakeCatalog(
      "d", Self.snapshot("m,h=a v=1 0\nm,h=b v=5,w=1 0\nm,h=c w=2 0\nm,h=a v=3 10\nm,h=b v=9,w=1 10\nm,h=c w=3 10\nm,h=a v=2,w=4 20"))
    let alone = try Self.ask("SELECT integral(v, 1ns) FROM m", catalog)
    let beside = try Self.ask("SELECT integral(v, 1ns), median(w), integral(w, 1ns) FROM m WHERE time >= 0", catalog)
    let area = try #require(alone.first?.split(separator: ":").last)
    #expect(alone.count == 1 && beside.first?.contains(area) == true, "\(alone) \(beside)")
  }

  // MARK: Side by side

  @Test(
    "fields of several measurements meet in buckets and groups",
    arguments: [
      (
        "SELECT mean(cpu.usage) - mean(mem.used) AS d FROM cpu, mem WHERE time >= 0 AND time < 4u GROUP BY time(1u), host",
        ["cpu,mem[host=a] 0:- 1000:6.0 2000:- 3000:-", "cpu,mem[host=b] 0:- 1000:- 2000:- 3000:-"]
      ),
      (
        "SELECT mean(cpu.usage) - mean(mem.used) AS d FROM cpu, mem WHERE time >= 0 AND time < 4u GROUP BY time(1u), host fill(0)",
        ["cpu,mem[host=a] 0:0.0 1000:6.0 2000:30.0 3000:-6.0", "cpu,mem[host=b] 0:0.0 1000:20.0 2000:-5.0 3000:0.0"]
      ),
      (
        "SELECT max(cpu.usage), max(mem.used), max(size) FROM cpu, mem WHERE time >= 0",
        ["cpu,mem[] 0:30.0,6.0,8i"]
      ),
      (
        "SELECT cpu.usage / mem.used, cpu.usage FROM cpu, mem GROUP BY host",
        ["cpu,mem[host=a] 1000:2.5,10.0 2000:-,30.0 3000:-,-", "cpu,mem[host=b] 1000:-,20.0 2000:-,-"]
      ),
      (
        "SELECT cpu.usage, mem.used FROM cpu, mem WHERE host = 'a' ORDER BY time DESC LIMIT 2",
        ["cpu,mem[] 3000:-,6.0 2000:30.0,-"]
      ),
      (
        "SELECT difference(sum(cpu.usage)), count(mem.used) FROM cpu, mem WHERE time >= 0 AND time < 4u GROUP BY time(1u)",
        ["cpu,mem[] 0:-,0i 1000:-,1i 2000:0.0,1i 3000:-,1i"]
      ),
      (
        "SELECT sum(cpu.usage), sum(mem.used) FROM cpu, mem WHERE cpu.usage > 15 AND (mem.used < 6) AND host =~ /[ab]/",
        ["cpu,mem[] 0:50.0,9.0"]
      ),
      ("SELECT max(cpu.usage) FROM cpu", ["cpu[] 2000:30.0"]),
      (
        "SELECT sum(cpu.usage), sum(mem.used) FROM /cpu|mem/ GROUP BY host SLIMIT 1 SOFFSET 1",
        ["cpu,mem[host=b] 0:20.0,5.0"]
      ),
      (
        "SELECT max(d) FROM (SELECT mean(cpu.usage) - mean(mem.used) AS d FROM cpu, mem WHERE time >= 0 AND time < 4u GROUP BY time(1u), host fill(0))",
        ["cpu,mem[] 2000:30.0"]
      ),
      (
        "SELECT cpu.u, mem.used FROM (SELECT usage AS u FROM cpu GROUP BY host), mem GROUP BY host SLIMIT 1",
        ["cpu,mem[host=a] 1000:10.0,4.0 2000:30.0,- 3000:-,6.0"]
      ),
    ])
  func sideBySide(text: String, answer: [String]) throws {
    #expect(try Self.ask(text) == answer, "\(text)")
  }

  @Test(
    "what cannot be meant is refused in words",
    arguments: [
      ("SELECT cpu.usage, * FROM cpu, mem", "without wildcards"),
      ("SELECT cpu.usage, mem.host FROM cpu, mem", "mem.host is a tag"),
      ("SELECT cpu.usage, host FROM cpu, mem", "several measurements have host: say which, as in cpu.host or mem.host"),
      ("SELECT max(cpu.usage), mem.used FROM cpu, mem", "fields beside a selector"),
      ("SELECT cpu.usage, mem.used FROM cpu, mem WHERE cpu.usage > mem.used", "a condition is asked of a row of one"),
    ])
  func refused(text: String, message: String) throws {
    let found = try Self.ask(text)
    #expect(found.count == 1 && found[0].contains(message), "\(found)")
  }

  @Test("a field that is called like a measurement and a field goes first")
  func dotted() throws {
    let catalog = FakeCatalog("d", Self.snapshot("m f=1,m.f=2 10\nn f=3 10"))
    #expect(try Self.ask("SELECT m.f FROM m, n", catalog) == ["m[] 10:2.0"])
    #expect(try Self.ask("SELECT n.f FROM m, n", catalog) == ["m,n[] 10:3.0"])
  }

  // MARK: Policies

  @Test(
    "a measurement of two policies is one, with the points of both; named twice in one it is read once",
    arguments: [
      ("SELECT sum(f), count(f) FROM daily.m, m", ["m[] 0:6.0,3i"]),
      ("SELECT sum(f), count(f) FROM m, m", ["m[] 0:3.0,2i"]),
      ("SELECT sum(f), count(f) FROM autogen.m, m, /m/, d.daily.m, daily././", ["m[] 0:6.0,3i"]),
      ("SELECT f FROM m, daily.m", ["m[] 10:1.0 10:3.0 20:2.0"]),
      ("SELECT f FROM m, daily.m GROUP BY *", ["m[h=a] 10:1.0 10:3.0 20:2.0"]),
      ("SELECT f FROM m, daily.m ORDER BY time DESC LIMIT 1", ["m[] 20:2.0"]),
    ])
  func policies(text: String, answer: [String]) throws {
    let catalog = FakeCatalog(
      "d", ["autogen": Self.snapshot("m,h=a f=1 10\nm,h=a f=2 20"), "daily": Self.snapshot("m,h=a f=3 10")])
    #expect(try Self.ask(text, catalog) == answer, "\(text)")
  }
}
