import Storage
import TestSupport
import Testing

private let second: Int64 = 1_000_000_000

/// Runs as text: `SIZE@TIME`, `*` behind it for the result of a final merge, `xN` for N of them; sequence numbers count up
/// from 1. Times are seconds; the window is 0 to 3,600 s, lateness and quiet are 600 s, patience is a day.
private struct Case: CustomTestStringConvertible, Sendable {
  var name: String
  var now: Int64
  var runs: String
  /// "first…last" of the runs that become one, `!` for a final merge; "-" for nothing.
  var picked: String
  var isForced = false

  var testDescription: String { name }

  init(_ name: String, at now: Int64, _ runs: String, _ picked: String, isForced: Bool = false) {
    (self.name, self.now, self.runs, self.picked, self.isForced) = (name, now, runs, picked, isForced)
  }
}

@Suite("Compaction picker")
struct PickerTests {
  @Test(
    "time windows",
    arguments: [
      Case("one run is never merged", at: 1_000_000, "100@10", "-"),
      Case("an open window is left alone below 16 runs", at: 3_000, "10@10 x15", "-"),
      Case("at 16 the lightest eight become one", at: 3_000, "10@10 x16", "1…8"),
      Case("a heavy first run is not similar to those after it", at: 3_000, "80@10 10@20 x15", "2…9"),
      Case("two tiers: the light ones first", at: 3_000, "80@10 x8 10@20 x8", "9…16"),
      Case("two tiers: the heavy ones when the light are too few", at: 3_000, "80@10 x9 10@20 x7", "1…8"),
      Case("of equally even ones the lightest", at: 3_000, "80@10 x8 20@10 x8", "9…16"),
      Case("none even: the most even", at: 3_000, "1@10 x7 900@10 1@10 900@10 900@10 1@10 x5", "4…11"),
      Case("before the lateness has passed nothing is final", at: 4_199, "10@10 x2", "-"),
      Case("past it and quiet: the final merge", at: 4_200, "10@10 x2", "1…2!"),
      Case("not quiet: wait", at: 4_200, "10@10 10@3601", "-"),
      Case("not quiet but at 16", at: 4_200, "10@10 10@3601 x15", "1…8"),
      Case("quiet again", at: 4_201, "10@10 10@3601", "1…2!"),
      Case("never quiet for a day after it was due", at: 4_200 + 86_400, "10@10 10@90000", "1…2!"),
      Case(
        "a backfill into an old window counts from its first run", at: 500_000, "10@499000 10@499900", "-"),
      Case("and is merged when quiet", at: 500_000, "10@499000 10@499400", "1…2!"),
      Case("closed: nothing to do", at: 1_000_000, "100@10*", "-"),
      Case("a small late run waits", at: 10_000, "100@10* 10@5000", "-"),
      Case("an eighth and quiet: folded in", at: 10_000, "80@10* 10@5000", "1…2!"),
      Case("an eighth but not quiet: waits", at: 10_000, "80@10* 10@9500", "-"),
      Case("a day of quiet folds in any", at: 5_000 + 86_400, "100@10* 1@5000", "1…2!"),
      Case("what outweighs the merged run is folded in at once", at: 10_000, "80@10* 81@9999", "1…2!"),
      Case("as much as the merged run does not outweigh it", at: 10_000, "80@10* 80@9999", "-"),
      Case("late runs are merged among themselves", at: 10_000, "1000@10* 10@9999 x15", "2…9"),
      Case("asked for: whatever the time", at: 100, "10@10 x3", "1…3!", isForced: true),
      Case("asked for, closed with a late run", at: 10_000, "100@10* 1@9999", "1…2!", isForced: true),
      Case("asked for, one run", at: 100, "10@10", "-", isForced: true),
    ])
  private func timeWindow(_ example: Case) {
    let keyspace = makeKeyspace([window(0, 3_600, example.runs)])
    let picker = Picker(settings: CompactionSettings(), now: example.now * second)
    let forced: Set<WindowID> = example.isForced ? [id(0)] : []
    let plans = picker.plans([keyspace], forced: forced)
    #expect(plans.map(text).joined(separator: " ") == (example.picked == "-" ? "" : example.picked))
    #expect(picker.plans([keyspace], busy: [id(0)], forced: forced).isEmpty, "a busy window is left alone")
    #expect(
      picker.plans([keyspace], forced: forced, floors: [keyspace.id: 3_600 * second]).isEmpty,
      "an expired one too")
  }

  @Test(
    "while a window fills it has at most 16 runs, and a byte is written as often as tiers of eight need",
    arguments: [
      (variety: 0 as UInt64, most: 3.0), (5, 4.5), (200, 5.5),
    ])
  func fills(variety: UInt64, most: Double) throws {
    var random = SplitMix64(seed: variety)
    var runs: [RunState] = []
    var (written, flushed) = (UInt64(0), UInt64(0))
    for flush in 1...1_024 as ClosedRange<UInt64> {
      let byteCount = 10 + (variety == 0 ? 0 : random.next() % (10 * variety))
      flushed += byteCount
      runs.append(run(flush, byteCount, 10, isFinal: false))
      let keyspace = makeKeyspace([WindowState(start: 0, end: 3_600 * second, flushedThrough: 0, runs: runs)])
      for plan in Picker(settings: CompactionSettings(), now: 100 * second).plans([keyspace]) {
        if plan.isFinal { continue }
        let merged = plan.runs
        let first = try #require(runs.firstIndex { $0.firstSequence == merged[0] })
        let stretch = runs[first..<first + merged.count]
        #expect(stretch.map(\.firstSequence) == merged)
        written += plan.byteCount
        var joined = stretch[first]
        joined.lastSequence = stretch[first + merged.count - 1].lastSequence
        joined.tables = stretch.flatMap(\.tables)
        runs.replaceSubrange(first..<first + merged.count, with: [joined])
      }
      #expect(runs.count <= 16)
    }
    // log₈(1,024 ÷ 16) = 2, and one tier more at the old end.
    #expect(Double(written) / Double(flushed) <= most)
  }

  @Test("forced goes before crowded, crowded before late, late before ended; then the oldest")
  func order() {
    let keyspace = makeKeyspace([
      window(0, 100, "10@10 x2"), window(100, 200, "10@10 x2"), window(200, 300, "10@10* 11@10"),
      window(300, 9_000, "10@10 x16"), window(9_000, 10_000, "10@10 x2"),
    ])
    let picker = Picker(settings: CompactionSettings(), now: 8_000 * second)
    let plans = picker.plans([keyspace], forced: [id(9_000)])
    #expect(plans.map { $0.window.start / second } == [9_000, 300, 200, 0, 100])
    #expect(plans[3].reason == "window ended 2h ago, quiet for 2h: 2 runs, 20 B")
    #expect(picker.debt(keyspace) == 20 + 20 + 21 + 80)
  }

  @Test("the policy none merges only what is asked for")
  func none() {
    var settings = CompactionSettings()
    settings.policy = .none
    let keyspace = makeKeyspace([window(0, 100, "50@10 x20"), window(100, 200, "50@10 x2")])
    let picker = Picker(settings: settings, now: 1_000_000 * second)
    #expect(picker.plans([keyspace]).isEmpty)
    #expect(picker.plans([keyspace], forced: [id(100)]).map(\.window) == [id(100)])
    #expect(picker.debt(keyspace) == 0)
  }

  @Test(
    "what a window waits for is said",
    arguments: [
      (now: 100 as Int64, runs: "10@10", said: "open: 1 runs"),
      (100, "10@10 x3", "open: 3 runs, merged at 16"),
      (4_200, "10@10 10@4000", "ended: 2 runs, quiet for 3m of 10m"), (100_000, "10@10", "settled"),
      (10_000, "100@10* 1@9000", "closed: 1 late runs of 1 B, quiet for 16m"),
      (4_200, "10@10 10@10", "due: window ended 10m ago, quiet for 69m: 2 runs, 20 B"),
    ])
  func outlook(now: Int64, runs: String, said: String) {
    let picker = Picker(settings: CompactionSettings(), now: now * second)
    let window = window(0, 3_600, runs)
    #expect(picker.outlook(window, in: makeKeyspace([window])) == said)
  }

  @Test("a run that may hold what was deleted is cleared after a minute, one at a time, whatever the policy")
  func clearing() {
    func tombstone(_ sequence: UInt64, _ times: Range<Int64>, at: Int64) -> Tombstone {
      let deletion = Deletion(
        measurements: [], predicate: nil, times: times.lowerBound * second..<times.upperBound * second)
      return Tombstone(sequence: sequence, deletion: deletion, createdAt: at * second)
    }
    var keyspace = makeKeyspace([window(0, 100, "50@10* 5@20"), window(100, 200, "50@10*")])
    keyspace.tombstones = [tombstone(7, 0..<50, at: 1_000)]
    func plans(at now: Int64, _ policy: CompactionPolicy = .timeWindow) -> [String] {
      var settings = CompactionSettings()
      settings.policy = policy
      return Picker(settings: settings, now: now * second).plans([keyspace]).map { "\($0.window.start / second) \(text($0))" }
    }
    #expect(plans(at: 1_059) == [])
    #expect(plans(at: 1_060) == ["0 1…1!"])
    #expect(plans(at: 1_060, .none) == ["0 1…1!"])
    keyspace.windows[0].runs[0].clearedThrough = 7
    #expect(plans(at: 1_060) == ["0 2…2"])
    keyspace.windows[0].runs[1].clearedThrough = 7
    #expect(plans(at: 1_060) == [])
    #expect(keyspace.spentTombstones(unflushedFrom: nil) == [7])
    #expect(keyspace.spentTombstones(unflushedFrom: 7) == [])
    // One that lies below a run has nothing to hide in it.
    keyspace.windows[0].runs[1] = run(9, 5, 20, isFinal: false)
    #expect(keyspace.spentTombstones(unflushedFrom: 8) == [7])
  }

  @Test("the time at which a window falls due is the first at which it is picked", arguments: 0..<40 as Range<UInt64>)
  func dueTime(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let now = Int64(random.next() % 200_000)
    let count = 1 + Int(random.next() % 4)
    var words = (0..<count).map { _ in "\(1 + random.next() % 100)@\(random.next() % UInt64(now + 1))" }
    if random.next() % 2 == 0 { words[0] += "*" }
    let keyspace = makeKeyspace([window(0, 3_600, words.joined(separator: " "))])
    func isPicked(at time: Int64) -> Bool {
      !Picker(settings: CompactionSettings(), now: time).plans([keyspace]).isEmpty
    }
    let due = Picker(settings: CompactionSettings(), now: now * second).dueTime(keyspace.windows[0], in: keyspace)
    guard let due else {
      #expect(!isPicked(at: (now + 1_000_000) * second), "\(words) is never due")
      return
    }
    #expect(due >= now * second && isPicked(at: due), "\(words) at \(now)")
    #expect(due == now * second || !isPicked(at: due - 1), "\(words) at \(now)")
  }

  @Test("amplification: nothing written is none, settled data takes its own space")
  func amplification() {
    #expect(Amplification.write(flushed: 10, compacted: 5, standing: 0) == 0)
    #expect(Amplification.write(flushed: 100, compacted: 50, standing: 75) == 2)
    #expect(Amplification.space(makeKeyspace([])) == 1)
    #expect(Amplification.space(makeKeyspace([window(0, 100, "50@10")])) == 1)
    // 50 bytes a row settled; 4 rows stand in 300 bytes.
    #expect(
      Amplification.space(makeKeyspace([window(0, 100, "50@10*"), window(100, 200, "50@10 100@10 x2")].map(ofOneRow)))
        == 1.5)
  }

  // MARK: Cases as values

  private func text(_ plan: CompactionPlan) -> String {
    "\(plan.runs[0])…\(plan.runs[plan.runs.count - 1])\(plan.isFinal ? "!" : "")"
  }

  private func id(_ start: Int64) -> WindowID { WindowID(keyspace: KeyspaceID(1), start: start * second) }

  private func makeKeyspace(_ windows: [WindowState]) -> KeyspaceState {
    KeyspaceState(
      id: KeyspaceID(1), database: "d", policy: "p", isDefault: true, ttl: 0, windowLength: 3_600 * second,
      windows: windows)
  }

  /// The window with one row in each of its tables, whatever their bytes.
  private func ofOneRow(_ window: WindowState) -> WindowState {
    var window = window
    for index in window.runs.indices { window.runs[index].tables[0].rowCount = 1 }
    return window
  }

  private func window(_ start: Int64, _ end: Int64, _ text: String) -> WindowState {
    var runs: [RunState] = []
    for word in text.split(separator: " ") {
      if word.hasPrefix("x"), let times = Int(word.dropFirst()), let last = runs.last {
        for _ in 1..<times {
          let next = UInt64(runs.count + 1)
          runs.append(run(next, last.byteCount, last.publishedAt / second, isFinal: last.isFinal))
        }
        continue
      }
      let isFinal = word.hasSuffix("*")
      let parts = (isFinal ? word.dropLast() : word).split(separator: "@")
      runs.append(run(UInt64(runs.count + 1), UInt64(parts[0]) ?? 0, Int64(parts[1]) ?? 0, isFinal: isFinal))
    }
    return WindowState(start: start * second, end: end * second, flushedThrough: 0, runs: runs)
  }

  private func run(_ sequence: UInt64, _ byteCount: UInt64, _ time: Int64, isFinal: Bool) -> RunState {
    let table = TableState(
      number: sequence, byteCount: byteCount, rowCount: Int(byteCount), seriesCount: 1, firstTimestamp: 0, lastTimestamp: 0
    )
    return RunState(
      firstSequence: sequence, lastSequence: sequence, isFinal: isFinal, publishedAt: time * second,
      tables: [table])
  }
}
