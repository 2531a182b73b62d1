import Storage
import TestSupport
import Testing

private let second: Int64 = 1_000_000_000
private let hour = 3_600 * second

@Suite("Retention")
struct RetentionTests {
  @Test("started six hours later by the wall clock alone: nothing goes for 30 s, then all that is due, once")
  func steppedRestart() throws {
    var state = try manifest(ttl: hour, publishedAt: 6 * hour)
    var clock = StoreClock(wall: 12 * hour, monotonic: 0, lastKnown: state.lastKnownTime)
    var horizon = Horizon(horizon: state.keyspaces[0].horizon, ttl: state.keyspaces[0].ttl, monotonic: 0)
    func edit(after passed: Int64) -> Edit? {
      clock.read(wall: 12 * hour + passed, monotonic: passed)
      let reached = horizon.advance(now: clock.doubted == nil ? clock.now : nil, monotonic: passed)
      return Expiry.edit(for: state.keyspaces[0], horizon: reached)
    }
    #expect(edit(after: 0) == nil)
    #expect(edit(after: 29 * second) == nil)
    // What is seen goes on from where the store stopped.
    #expect(horizon.floor(now: clock.now) == 5 * hour + 29 * second)
    let drop = try #require(edit(after: 30 * second))
    let reached = 11 * hour + 30 * second
    #expect(
      drop == .dropWindows(keyspace: KeyspaceID(1), starts: (0..<6).map { $0 * hour }, horizon: reached))
    try state.apply(drop)
    #expect(state.keyspaces[0].windows.isEmpty && state.keyspaces[0].horizon == reached)
    #expect(edit(after: 31 * second) == nil)
  }

  @Test("the time at which a window is dropped is the first at which the horizon passes its end", arguments: 0..<40 as Range<UInt64>)
  func dropTime(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var horizon = Horizon(horizon: .min, ttl: Int64(random.next() % 5) * hour, monotonic: 0)
    var (now, monotonic) = (100 * hour, Int64(0))
    for _ in 0..<random.next() % 4 {
      let passed = Int64(random.next() % 40) * second
      (now, monotonic) = (now + passed, monotonic + passed)
      horizon.advance(now: now, monotonic: monotonic)
      horizon.alter(ttl: Int64(random.next() % 5) * hour, monotonic: monotonic)
    }
    let end = now - Int64(random.next() % 10) * hour / 2
    func isDropped(at time: Int64) -> Bool {
      var later = horizon
      return later.advance(now: time, monotonic: monotonic + time - now) >= end
    }
    guard let time = horizon.dropTime(windowEnd: end, now: now, monotonic: monotonic) else {
      #expect(horizon.ttl == 0 && !isDropped(at: now + 1_000 * hour))
      return
    }
    #expect(time >= now && isDropped(at: time))
    #expect(time == now || !isDropped(at: time - 1))
  }

  @Test("what a TTL would take away is said before it is set")
  func loss() throws {
    let state = try manifest(ttl: 0, publishedAt: 6 * hour)
    let loss = Expiry.loss(of: state.keyspaces[0], ttl: 2 * hour, now: 6 * hour)
    #expect(loss.starts == [0, hour, 2 * hour, 3 * hour])
    #expect(Expiry.loss(of: state.keyspaces[0], ttl: 0, now: 6 * hour).starts.isEmpty)
  }

  /// Six windows of one hour, a run in each.
  private func manifest(ttl: Int64, publishedAt: Int64) throws -> ManifestState {
    var state = ManifestState()
    try state.apply(.createDatabase(name: "d"))
    try state.apply(
      .createKeyspace(
        KeyspaceState(
          id: KeyspaceID(1), database: "d", policy: "p", isDefault: true, ttl: ttl, windowLength: hour)))
    for index in 0..<6 as Range<Int64> {
      try state.apply(.openWindow(keyspace: KeyspaceID(1), start: index * hour, end: (index + 1) * hour))
      let sequence = UInt64(index + 1)
      let run = RunState(
        firstSequence: sequence, lastSequence: sequence, isFinal: false, publishedAt: publishedAt, tables: [])
      try state.apply(
        .publishRun(keyspace: KeyspaceID(1), window: index * hour, run: run, flushedThrough: sequence))
    }
    return state
  }
}
