import TestSupport
import Testing
import varve

/// The most allocations and system calls that a thousand lines may cost, from `Fixtures/call-ceilings.csv`.
///
/// They are counted, not timed: a build for debugging under a loaded machine counts within a few of what is measured. Measured so, with the
/// series known, of 20,000 lines of workload S: parse 0 and 0, insert 5 and 0, decode integers 100 and 0, scan 70 and 0, a server
/// over TCP 44 and 7, over HTTP in batches of 1,000 lines 70 and 40. The ceilings are three to eight times that, since reads are as
/// long as the moment makes them; one allocation or call more a line is a thousand.
private struct CallCeiling: Equatable {
  var work: String
  var allocations: Double
  var systemCalls: Double

  static func all() throws -> [CallCeiling] {
    let text = String(decoding: try readWholeFile(packageRoot + "/Fixtures/call-ceilings.csv"), as: UTF8.self)
    return try text.split(separator: "\n").dropFirst().map { line in
      let cells = line.split(separator: ",").map(String.init)
      try #require(cells.count == 3)
      return CallCeiling(
        work: cells[0], allocations: try #require(Double(cells[1])),
        systemCalls: try #require(Double(cells[2])))
    }
  }

  static func named(_ work: String) throws -> CallCeiling { try #require(all().first { $0.work == work }) }

  func isKept(by counts: Counts) -> Bool {
    counts.allocations <= allocations && counts.systemCalls <= systemCalls
  }

  struct Counts {
    var allocations: Double
    var systemCalls: Double

    /// Of the one row that a bench printed as CSV.
    init(_ output: String, prefix: String = "") throws {
      let lines = output.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false)
      }
      try #require(lines.count == 2 && lines[0].count == lines[1].count, "\(output)")
      let row = Dictionary(zip(lines[0].map(String.init), lines[1].map(String.init))) { first, _ in first }
      allocations = try #require(row[prefix + "allocations_per_1000_lines"].flatMap(Double.init), "\(output)")
      systemCalls = try #require(
        row[prefix + "system_calls_per_1000_lines"].flatMap(Double.init), "\(output)")
    }
  }
}

@Suite(
  "Ceilings of allocations and system calls", .serialized,
  .enabled(if: PreloadLibrary.compiler != nil, "skipped: there is no C compiler for the counter"))
struct CallCeilingTests {
  private static let layers = ["parse", "insert", "decode integers", "scan"]
  private static let transports = ["tcp", "http"]

  /// A command with the counter beside it, and what a process needs to count into `counts`.
  private func command() throws -> (BuiltCommand, settings: [String]) {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    let library = try PreloadLibrary.build("callcounter", into: command.folder)
    return (command, ["LD_PRELOAD=\(library)", "VARVE_CALL_COUNTS=\(command.folder)/counts"])
  }

  private func counts(of layer: String, lineCount: Int = 20_000, roundCount: Int) throws -> CallCeiling.Counts
  {
    let (command, settings) = try command()
    let outcome = try command.run(
      "env \(settings.joined(separator: " ")) varve bench layers --layer '\(layer)' --lines \(lineCount) --rounds \(roundCount)"
        + " --counts counts --format csv")
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try CallCeiling.Counts(outcome.output)
  }

  @Test("a layer stays under its ceiling", arguments: layers)
  func layer(name: String) throws {
    let counts = try counts(of: name, roundCount: 2)
    #expect(try CallCeiling.named(name).isKept(by: counts), "\(name): \(counts)")
  }

  @Test("a server stays under the ceiling of its listener", arguments: transports)
  func server(transport: String) throws {
    let (command, settings) = try command()
    let server = try StartedServer(command, settings: settings)
    #expect(try command.run("varve bench generate S | head -20000 >lines; wc -l <lines").output == "20000\n")
    let ceiling = try CallCeiling.named(transport)
    var seen: [CallCeiling.Counts] = []
    // Each of the two receivers learns the series the first time; who takes a connection is the moment's. Of eight times one has neither.
    while seen.count < 8, !seen.contains(where: ceiling.isKept) {
      let outcome = try command.run(
        "varve bench ingest --file lines --to \(transport) --batch 1000 --counts counts --format csv")
      try #require(outcome.status == 0, "\(outcome.errors)")
      seen.append(try CallCeiling.Counts(outcome.output, prefix: "server_"))
    }
    #expect(seen.contains(where: ceiling.isKept), "\(transport): \(seen)")
    // Nothing is under a ceiling because nothing was counted.
    #expect(seen.allSatisfy { $0.allocations > 0 && $0.systemCalls > 0 })
    #expect(server.stop() == 0)
  }

  @Test("what allocates a block a series is over the ceiling of the parser")
  func canFail() throws {
    // In its first round the parser learns a hundred series in two thousand lines.
    let counts = try counts(of: "parse", lineCount: 2_000, roundCount: 1)
    #expect(counts.allocations > 0)
    #expect(try !CallCeiling.named("parse").isKept(by: counts), "\(counts)")
  }

  @Test("every ceiling of the table is of something that is counted here")
  func table() throws {
    #expect(try CallCeiling.all().map(\.work) == Self.layers + Self.transports)
  }
}
