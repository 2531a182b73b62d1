import Storage
import Synchronization
import Testing

private let second: Int64 = 1_000_000_000
private let hour = 3_600 * second

@Suite("Retention keeper")
struct RetentionKeeperTests {
  /// Clocks that a test moves.
  final class Clocks: Sendable {
    let wall: Atomic<Int64>
    let monotonic = Atomic<Int64>(0)

    init(wall: Int64) { self.wall = Atomic(wall) }

    func pass(_ time: Int64) {
      wall.wrappingAdd(time, ordering: .relaxed)
      monotonic.wrappingAdd(time, ordering: .relaxed)
    }
  }

  @Test("started six hours later by the wall clock alone: nothing goes for 30 s, then all that is due")
  func steppedRestart() throws {
    var state = try manifest(ttl: hour, publishedAt: 6 * hour)
    let clocks = Clocks(wall: 12 * hour)
    let keeper = makeKeeper(state, clocks)
    #expect(keeper.tick(state.keyspaces).isEmpty)
    #expect(keeper.now().doubted != nil)
    clocks.pass(29 * second)
    #expect(keeper.tick(state.keyspaces).isEmpty)
    #expect(keeper.floor(of: KeyspaceID(1)) == 5 * hour + 29 * second)
    clocks.pass(second)
    let edits = keeper.tick(state.keyspaces)
    let horizon = 11 * hour + 30 * second
    #expect(edits.first == .dropWindows(keyspace: KeyspaceID(1), starts: (0..<6).map { $0 * hour }, horizon: horizon))
    for edit in edits { try state.apply(edit) }
    #expect(state.keyspaces[0].windows.isEmpty && state.keyspaces[0].horizon == horizon)
    #expect(keeper.tick(state.keyspaces).isEmpty)
  }

  @Test("a TTL set on a running store hides at once and drops after 30 s; set back in time it drops nothing")
  func alter() throws {
    let state = try manifest(ttl: 0, publishedAt: 6 * hour)
    let clocks = Clocks(wall: 6 * hour)
    let keeper = makeKeeper(state, clocks)
    clocks.pass(60 * second)
    #expect(keeper.floor(of: KeyspaceID(1)) == .min)
    #expect(keeper.alter(KeyspaceID(1), ttl: hour) == nil)
    #expect(keeper.floor(of: KeyspaceID(1)) == 5 * hour + 60 * second)
    clocks.pass(29 * second)
    #expect(keeper.tick(state.keyspaces).isEmpty)
    #expect(keeper.alter(KeyspaceID(1), ttl: 0) == nil)
    clocks.pass(hour)
    #expect(keeper.tick(state.keyspaces).isEmpty)
    _ = keeper.alter(KeyspaceID(1), ttl: hour)
    clocks.pass(30 * second)
    guard case .dropWindows(_, let starts, _) = keeper.tick(state.keyspaces).first else {
      Issue.record("nothing is dropped")
      return
    }
    #expect(starts == (0..<6).map { $0 * hour })
  }

  @Test("a longer TTL and a close keep the horizon that was reached")
  func keepsHorizon() throws {
    let state = try manifest(ttl: 2 * hour, publishedAt: 6 * hour)
    let clocks = Clocks(wall: 6 * hour)
    let keeper = makeKeeper(state, clocks)
    clocks.pass(40 * second)
    let reached = 4 * hour + 40 * second
    #expect(keeper.alter(KeyspaceID(1), ttl: 0) == .setHorizon(keyspace: KeyspaceID(1), horizon: reached))
    #expect(keeper.floor(of: KeyspaceID(1)) == reached)
    #expect(
      keeper.closingEdits(state.keyspaces)
        == [.setHorizon(keyspace: KeyspaceID(1), horizon: reached), .noteClock(6 * hour + 40 * second)])
  }

  private func makeKeeper(_ state: ManifestState, _ clocks: Clocks) -> RetentionKeeper {
    RetentionKeeper(
      manifest: state, wall: { clocks.wall.load(ordering: .relaxed) },
      monotonic: { clocks.monotonic.load(ordering: .relaxed) })
  }

  /// Six windows of one hour, a run in each.
  private func manifest(ttl: Int64, publishedAt: Int64) throws -> ManifestState {
    var state = ManifestState()
    try state.apply(.createDatabase(name: "d"))
    try state.apply(
      .createKeyspace(
        KeyspaceState(id: KeyspaceID(1), database: "d", policy: "p", isDefault: true, ttl: ttl, windowLength: hour)))
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
