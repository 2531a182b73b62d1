import Server
import Storage
import Testing
import varve

@Suite("Serve command")
struct ServeCommandTests {
  private func configuration(
    _ line: [String], environment: [String: String] = [:], file: String? = nil
  ) throws -> ServerConfiguration {
    let parser = ArgumentParser(serveCommand, knownKeys: [], environment: environment) { _ in
      Array((file ?? "").utf8)
    }
    return try serverConfiguration(try parser.parse(line))
  }

  @Test("compaction is by window, one job at a time, without a limit, unless something else is said")
  func compactionDefaults() throws {
    let store = try configuration([]).store
    #expect(store.compactionPolicy == .timeWindow)
    #expect(store.compactorCount == 1 && store.compactionBytesPerSecond == 0)
  }

  @Test("the pace of compaction is set by flags, environment and file")
  func compactionPace() throws {
    let flags = try configuration(["--compaction-jobs", "16", "--compaction-rate", "20MiB"]).store
    #expect(flags.compactorCount == 16 && flags.compactionBytesPerSecond == 20 << 20)
    let environment = ["VARVE_COMPACTION_JOBS": "3", "VARVE_COMPACTION_POLICY": "windows"]
    let file = "{ 'compaction-rate': '1MiB', 'compaction-jobs': 2, 'compaction-policy': 'none' }"
    let mixed = try configuration(["--config", "f"], environment: environment, file: file).store
    #expect(mixed.compactorCount == 3 && mixed.compactionBytesPerSecond == 1 << 20)
    #expect(mixed.compactionPolicy == .timeWindow)
    #expect(try configuration(["--config", "f"], file: file).store.compactionPolicy == .none)
  }

  @Test("quotas are a database's, the server's own where none is named; rules may be several")
  func quotas() throws {
    let read = try configuration(
      ["--database", "d", "--quota", "1GiB", "--quota", "edge=5MiB", "--disk-reserve", "2GiB", "--rule", "a=>p=7d", "--rule", "e:"])
    #expect(read.store.quotas == ["d": 1 << 30, "edge": 5 << 20])
    #expect(read.store.diskReserveByteCount == 2 << 30)
    #expect(read.rules.map(\.database) == [nil, "e"] && read.rules.map(\.ttl) == [7 * 86_400_000_000_000, nil])
  }

  @Test(
    "what compaction cannot be told is refused with what it can",
    arguments: [
      (["--compaction-jobs", "0"], "--compaction-jobs takes 1 to 16, not 0"),
      (["--compaction-jobs", "17"], "--compaction-jobs takes 1 to 16, not 17"),
      (["--compaction-rate", "fast"], "--compaction-rate takes a size such as 128MiB, 1GiB or bytes, not \"fast\""),
      (["--compaction-policy", "fifo"], "--compaction-policy takes windows, none, not \"fifo\""),
      (["--quota", "much"], "--quota takes [DATABASE=]SIZE such as 10GiB or edge=500MiB, not \"much\""),
      (["--rule", "cpu"], "--rule takes [DATABASE:]MEASUREMENT[{TAG=VALUE}]=>POLICY[=TTL] such as 'cpu*=>week=7d', not \"cpu\""),
    ])
  func compactionMisuse(line: [String], expected: String) {
    do {
      _ = try configuration(line)
      Issue.record("\(line) was taken")
    } catch {
      #expect((error as? UsageError)?.description == expected)
    }
  }
}
