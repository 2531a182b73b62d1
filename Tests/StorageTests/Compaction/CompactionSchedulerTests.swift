import LineProtocol
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Compaction scheduler")
struct CompactionSchedulerTests {
  private let second = ModelStore.second

  @Test("while windows fill and after, reads stay the same and runs few", arguments: 0..<4 as Range<UInt64>)
  func life(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let store = try ModelStore()
    let scheduler = makeScheduler(store)
    for flush in 0..<40 as Range<Int64> {
      store.now = flush * 5 * second
      try store.flush(points(&random, around: store.now))
      while scheduler.runOne() {}
      #expect(store.windows.allSatisfy { $0.runs.count <= 16 })
    }
    #expect(try store.rows() == store.wanted(), "seed \(seed)")
    store.now += 7_200 * second
    while scheduler.runOne() {}
    #expect(store.windows.allSatisfy { $0.runs.count == 1 })
    #expect(try store.rows() == store.wanted(), "seed \(seed)")
    #expect(try store.orphans().isEmpty)
    #expect(scheduler.status().bytesWritten[ModelStore.keyspace] ?? 0 > 0)
  }

  @Test("threads do what is asked for, and whoever asked waits; also while paused")
  func force() throws {
    var random = SplitMix64(seed: 3)
    let store = try ModelStore()
    for _ in 0..<5 { try store.flush(points(&random, around: 250 * second)) }
    let scheduler = makeScheduler(store)
    scheduler.pause()
    try scheduler.start(threadCount: 2)
    defer { scheduler.stop() }
    let window = WindowID(keyspace: ModelStore.keyspace, start: 200 * second)
    try scheduler.force(.window(window), waits: true)
    #expect(store.windows.filter { $0.runs.count == 1 }.map(\.start).contains(window.start))
    try scheduler.force(.all, waits: true)
    #expect(store.windows.allSatisfy { $0.runs.count == 1 })
    #expect(try store.rows() == store.wanted())
    try scheduler.force(.all, waits: true)
    #expect(scheduler.status().isPaused && scheduler.status().running.isEmpty)
  }

  @Test("a pause holds what was not asked for")
  func pause() throws {
    let store = try crowded()
    let scheduler = makeScheduler(store)
    scheduler.pause()
    #expect(!scheduler.runOne())
    scheduler.resume()
    #expect(scheduler.runOne())
    #expect(store.windows[0].runs.count == 1)
  }

  @Test("a window that is dropped under a job: nothing is published, no file is left")
  func dropped() throws {
    let store = try crowded()
    let horizon = 1_000 * second
    let drop: @Sendable () -> Void = {
      do {
        try store.dropWindows([WindowID(keyspace: ModelStore.keyspace, start: 0)], horizon: horizon)
      } catch {
        Issue.record(error)
      }
    }
    store.state.withLock { $0.beforePublish = drop }
    let inputs = Set(store.windows[0].runs.flatMap(\.tables).map(\.number))
    let scheduler = makeScheduler(store)
    #expect(scheduler.runOne())
    #expect(store.windows.isEmpty && scheduler.status().jobCount == 0)
    // The inputs' files are the janitor's; the output's number is above theirs.
    #expect(try store.orphans().count == inputs.count)
  }

  @Test("a job that fails is shown, waits, and is tried again under another number")
  func fails() throws {
    let memory = MemoryFileSystem()
    let failing = FailingFileSystem(wrapping: memory)
    let store = try crowded(failing)
    let clock = Atomic<Int64>(0)
    let scheduler = CompactionScheduler(
      delegate: store, settings: CompactionSettings(), monotonic: { clock.load(ordering: .relaxed) })
    failing.fail { call, _, _ in call == .sync ? .io : nil }
    #expect(scheduler.runOne())
    #expect(scheduler.status().failures.map(\.error.code) == [.io])
    #expect(!scheduler.runOne())
    #expect(try store.orphans().isEmpty)
    clock.store(59 * second, ordering: .relaxed)
    #expect(!scheduler.runOne())
    clock.store(60 * second, ordering: .relaxed)
    #expect(scheduler.runOne())
    #expect(scheduler.status().failures.map(\.count) == [2])
    #expect(throws: StorageError.self) { try scheduler.force(.all, waits: true) }
    failing.fail(where: nil)
    try scheduler.force(.all, waits: true)
    #expect(scheduler.status().failures.isEmpty && store.windows[0].runs.count == 1)
    #expect(try store.rows() == store.wanted())
  }

  @Test("stop ends a job that waits for the throttle, and takes its files away")
  func stops() throws {
    let store = try crowded()
    let scheduler = CompactionScheduler(
      delegate: store, settings: CompactionSettings(), bytesPerSecond: 1, options: tiny())
    try scheduler.start(threadCount: 1)
    while scheduler.status().running.isEmpty { try fileSystemYield(store) }
    scheduler.stop()
    #expect(scheduler.status().jobCount == 0 && store.windows[0].runs.count == 3)
    #expect(try store.orphans().isEmpty)
    #expect(throws: StorageError.self) { try scheduler.force(.all, waits: true) }
  }

  @Test("a throttle lets through what a second holds, then makes wait for what is owed")
  func throttle() {
    var throttle = CompactionThrottle(bytesPerSecond: 1_000, monotonic: 0)
    #expect(throttle.take(1_000, monotonic: 0) == 0)
    #expect(throttle.take(500, monotonic: 0) == second / 2)
    #expect(throttle.take(0, monotonic: second / 2) == 0)
    #expect(throttle.take(1_000, monotonic: 100 * second) == 0)
    #expect(throttle.take(2_000, monotonic: 100 * second) == 2 * second)
    #expect(throttle.take(0, monotonic: 50 * second) == 2 * second)
    var open = CompactionThrottle(bytesPerSecond: 0, monotonic: 0)
    #expect(open.take(.max, monotonic: 0) == 0)
  }

  // MARK: Stores

  private func makeScheduler(_ store: ModelStore) -> CompactionScheduler {
    CompactionScheduler(delegate: store, settings: CompactionSettings())
  }

  /// Three runs in the window at 0, long past.
  private func crowded(_ fileSystem: any FileSystem = MemoryFileSystem()) throws -> ModelStore {
    let store = try ModelStore(fileSystem)
    for index in 0..<3 {
      try store.flush(modelPoints("m,t=a x=\(index) 10\nm,t=b x=\(index),y=\(index)i \(index + 20)"))
    }
    store.now = 10_000 * second
    return store
  }

  private func tiny() -> TableOptions {
    var options = TableOptions()
    options.byteCountTarget = 1
    return options
  }

  /// Takes time without sleeping: a call that does nothing.
  private func fileSystemYield(_ store: ModelStore) throws { _ = try store.fileSystem.exists("tables") }

  private func points(_ random: inout SplitMix64, around time: Int64) -> [ModelPoint] {
    (0..<20).map { _ in
      let key = SeriesKey(
        measurement: Array("m".utf8),
        tags: [(key: Array("t".utf8), value: Array("v\(Int.random(in: 0..<3, using: &random))".utf8))])
      let late = Int64.random(in: -60...40, using: &random) * second
      let value: ModelValue =
        Int.random(in: 0..<4, using: &random) == 0
        ? .integer(Int64.random(in: 0...9, using: &random)) : .float(Double.random(in: 0...9, using: &random))
      return ModelPoint(
        key: key, timestamp: max(0, time + late),
        fields: [["x", "y"].randomElement(using: &random) ?? "x": value])
    }
  }
}
