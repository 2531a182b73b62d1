import Testing
import varve

@Suite("Benchmark of the layers")
struct LayerBenchTests {
  @Test("every layer is measured and its output held to what went in", arguments: ["csv", "json", "table"])
  func all(format: String) throws {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    let outcome = try command.run("varve bench layers --lines 1000 --rounds 2 --format \(format)")
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    for name in LayerBench.names { #expect(outcome.output.contains(name), "\(name)") }
    #expect(!outcome.output.contains("wrong"))
    guard format == "csv" else { return }
    let rows = outcome.output.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(rows.dropFirst().map { String($0[0]) } == LayerBench.names)
    for row in rows.dropFirst() {
      #expect(row.last == "right")
      // Nanoseconds each: the best is not above the median, and none is free.
      let (best, median) = (Double(row[4]) ?? 0, Double(row[5]) ?? 0)
      #expect(best > 0 && best <= median, "\(row)")
    }
  }

  @Test("one layer alone is asked for by name, and there is no other")
  func one() throws {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    let outcome = try command.run(
      "varve bench layers --lines 200 --rounds 1 --layer 'decode floats' | cut -d, -f1")
    #expect(outcome.output == "layer\ndecode floats\n")
    #expect(try command.run("varve bench layers --layer sorting").status == 2)
  }
}
