import FoundationEssentials
import TestSupport
import Testing

/// Random histories against a dictionary: whatever the options, the answers are those of the dictionary.
@Suite("Store against a model", .tags(.property))
struct StoreModelTests {
  @Test(
    "writes, overwrites, deletes, flushes, merges, restarts and crashes answer as a dictionary does",
    arguments: [StoreHistory.Variant.plain, .eager, .idle, .narrow])
  func histories(variant: StoreHistory.Variant) throws {
    for seed in StoreHistory.seeds(8) {
      let history = try StoreHistory(seed: seed, variant: variant)
      try history.run(steps: 60)
      #expect(history.problems == [], "seed \(seed), \(variant)")
      if !history.problems.isEmpty { break }
    }
  }

  /// Histories of the long run under each set of options.
  private static let longCount =
    ProcessInfo.processInfo.environment["VARVE_MODEL_HISTORIES"].flatMap { Int($0) } ?? 50

  @Test("more and longer histories", .tags(.slow), .enabled(if: runsSlowTests))
  func manyHistories() throws {
    var count = 0
    for seed in StoreHistory.seeds(Self.longCount) {
      for variant in StoreHistory.Variant.allCases {
        let history = try StoreHistory(seed: seed &+ 1_000, variant: variant)
        try history.run(steps: 80)
        count += 1
        guard history.problems.isEmpty else {
          Issue.record("seed \(seed), \(variant): \(history.problems)")
          return
        }
      }
    }
    #expect(count == Self.longCount * StoreHistory.Variant.allCases.count)
  }
}
