import TestSupport
import Testing
import varve

/// The sums of what the reference generator in C writes.
private let sums: [(name: String, firstThousand: String, whole: String)] = [
  ("S", "9e8821007221530224ddb2f30f0e101e", "7528ed26a31d2ba6505435773b31e578"),
  ("M", "b237b43a93bf1351d214d44e01023cbb", "10cad51adda0a7e4c9d540065a7fda75"),
  ("H", "0f060fed9fa346ef2272744a43343609", "90f70575d3870e11cde715459ee584d2"),
  ("F", "0af3e9039a192299a040020f874df2d1", "4e233dabe930539e0a96c5ea88e6c298"),
  ("F2", "7d24cf4b6b05577f8a8c5aafc47f7669", "5097e48b418b99fbcc76e22adba53855"),
  ("D", "fa459ccfaf99a611714b0145470c502a", "e1c1694a804dc76700c48112b0cbc442"),
]

@Suite("Workloads")
struct WorkloadTests {
  private struct Enough: Error {}

  /// The sum of a workload's first lines, or of all.
  private func sum(of name: String, lineCount: Int? = nil) throws -> String {
    var generator = WorkloadGenerator(try #require(Workload.named(name)))
    var sum = MD5()
    var left = lineCount ?? .max
    do {
      try generator.run { bytes in
        if lineCount == nil { return sum.append(bytes) }
        var end = 0
        while end < bytes.count, left > 0 {
          if bytes[end] == 0x0a { left -= 1 }
          end += 1
        }
        sum.append(Array(bytes[..<end]))
        if left == 0 { throw Enough() }
      }
    } catch is Enough {}
    return sum.finish()
  }

  @Test("the first thousand lines are those of the reference generator", arguments: ["S", "F", "F2", "D"])
  func prefix(name: String) throws {
    let expected = try #require(sums.first { $0.name == name })
    #expect(try sum(of: name, lineCount: 1000) == expected.firstThousand)
  }

  @Test(
    "all lines are those of the reference generator", .tags(.slow), .enabled(if: runsSlowTests),
    arguments: sums.map(\.name))
  func whole(name: String) throws {
    let expected = try #require(sums.first { $0.name == name })
    #expect(try sum(of: name) == expected.whole)
  }

  /// All lines of a workload that begins like a named one and is shorter.
  private func lines(of name: String, tickCount: Int) throws -> [Substring] {
    var workload = try #require(Workload.named(name))
    workload.secondCount = tickCount * workload.intervalSeconds
    var generator = WorkloadGenerator(workload)
    var made: [UInt8] = []
    generator.run { made += $0 }
    #expect(made.count { $0 == 0x0a } == workload.lineCount)
    #expect(String(decoding: made, as: UTF8.self).count { $0 == "=" } >= workload.valueCount)
    return String(decoding: made, as: UTF8.self).split(separator: "\n")
  }

  private func time(_ line: Substring) throws -> Int64 {
    try #require(Int64(line.split(separator: " ").last ?? ""))
  }

  @Test("T is a float and two tags in seventy bytes")
  func shortLines() throws {
    let lines = try lines(of: "T", tickCount: 20)
    let byteCount = lines.reduce(0) { $0 + $1.utf8.count + 1 } / lines.count
    #expect((67...73).contains(byteCount), "\(byteCount)")
    let pattern = /load,host=host_\d+,region=[a-z0-9-]+ value=\d+(\.\d\d?)? \d{19}/
    #expect(lines.allSatisfy { $0.wholeMatch(of: pattern) != nil })
    #expect(try sum(of: "T", lineCount: 1000) == "4ebc8e36712601473dc39f29401a68f5")
  }

  @Test("of L one line in twenty comes up to a day late, each point once")
  func lateLines() throws {
    let lines = try lines(of: "L", tickCount: 4_000)
    var (newest, lateCount, latest) = (Int64.min, 0, Int64(0))
    for line in lines {
      let time = try time(line)
      if time < newest {
        lateCount += 1
        latest = max(latest, newest - time)
      }
      newest = max(newest, time)
    }
    // What is held back past the end comes after it, less late than it was drawn.
    #expect((0.045...0.055).contains(Double(lateCount) / Double(lines.count)), "\(lateCount) of \(lines.count)")
    #expect(latest > 30_000 * 1_000_000_000 && latest <= 86_400 * 1_000_000_000)
    let points = Set(lines.map { line in [line.prefix { $0 != " " }, line.suffix(19)] })
    #expect(points.count == lines.count)
    #expect(try sum(of: "L", lineCount: 1000) == "dae75e5c54076d2617ff72da576f1ab5")
  }

  @Test("the checked-in sample is what the generator makes")
  func sample() throws {
    let file = try readWholeFile(packageRoot + "/Fixtures/sample.lp")
    var generator = WorkloadGenerator(try #require(Workload.named("sample")))
    var made: [UInt8] = []
    generator.run { made += $0 }
    #expect(made == file)
    #expect(made.count { $0 == 0x0a } == Workload.named("sample")?.lineCount)
  }

  @Test(
    "MD5 is RFC 1321's",
    arguments: [
      ("", "d41d8cd98f00b204e9800998ecf8427e"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
      (
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a"
      ),
    ])
  func md5(text: String, expected: String) {
    var sum = MD5()
    sum.append(Array(text.utf8))
    #expect(sum.finish() == expected)
  }
}
