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
