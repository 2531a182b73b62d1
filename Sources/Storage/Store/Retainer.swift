/// The store's clock and the horizon of each keyspace, with what must be dropped by them.
package final class Retainer: Sendable {
  private struct State {
    var clock: StoreClock
    var horizons: [KeyspaceID: Horizon] = [:]
    var notedAt: Int64
    var expiredWindows: [KeyspaceID: UInt64] = [:]
    var expiredBytes: [KeyspaceID: UInt64] = [:]
    var expiredOnArrival: [KeyspaceID: UInt64] = [:]
    var quotaWindows: [KeyspaceID: UInt64] = [:]
    var quotaBytes: [KeyspaceID: UInt64] = [:]
  }
  private let state: Lock<State>
  private let wallClock: @Sendable () -> Int64
  private let monotonicClock: @Sendable () -> Int64

  package init(
    manifest: ManifestState, wallClock: @escaping @Sendable () -> Int64,
    monotonicClock: @escaping @Sendable () -> Int64
  ) {
    self.wallClock = wallClock
    self.monotonicClock = monotonicClock
    let monotonic = monotonicClock()
    let clock = StoreClock(wall: wallClock(), monotonic: monotonic, lastKnown: manifest.lastKnownTime)
    var horizons: [KeyspaceID: Horizon] = [:]
    for keyspace in manifest.keyspaces {
      horizons[keyspace.id] = Horizon(horizon: keyspace.horizon, ttl: keyspace.ttl, monotonic: monotonic)
    }
    state = Lock(State(clock: clock, horizons: horizons, notedAt: clock.now))
  }

  /// The store's time, nanoseconds since 1970.
  package var now: Int64 { state.withLock { read(&$0) } }

  /// A step of the wall clock that is not believed yet: its length in nanoseconds. While there is one nothing is dropped.
  package var doubtedStep: Int64? {
    state.withLock { state in
      _ = read(&state)
      return state.clock.doubted?.length
    }
  }

  /// Whether an hour has gone by since the time was last noted, and something expires: a start after a crash then
  /// notices a step of the clock. Asking counts as noting.
  package var isClockToBeNoted: Bool {
    state.withLock { state in
      let now = read(&state)
      guard state.clock.doubted == nil, now - state.notedAt >= StoreClock.stepMax,
        state.horizons.values.contains(where: { $0.ttl != 0 })
      else { return false }
      state.notedAt = now
      return true
    }
  }

  /// The time before which a keyspace shows nothing.
  package func floor(of keyspace: KeyspaceState) -> Int64 {
    state.withLock { state in
      let now = read(&state)
      return horizon(of: keyspace, in: &state).floor(now: now)
    }
  }

  /// The floor and the store's time, from one reading.
  package func floorAndNow(of keyspace: KeyspaceState) -> (floor: Int64, now: Int64) {
    state.withLock { state in
      let now = read(&state)
      return (horizon(of: keyspace, in: &state).floor(now: now), now)
    }
  }

  /// Takes a new TTL; the answer is the horizon to keep in the same edit, so that a longer TTL brings nothing back.
  package func alter(_ keyspace: KeyspaceState, ttl: Int64) -> Int64 {
    state.withLock { state in
      let now = read(&state)
      var horizon = horizon(of: keyspace, in: &state)
      let kept = horizon.advance(now: state.clock.doubted == nil ? now : nil, monotonic: monotonicClock())
      horizon.alter(ttl: ttl, monotonic: monotonicClock())
      state.horizons[keyspace.id] = horizon
      return kept
    }
  }

  /// The edits that drop what lies before the horizons now.
  package func drops(in manifest: ManifestState) -> [Edit] {
    state.withLock { state in
      let now = read(&state)
      let believed = state.clock.doubted == nil ? now : nil
      var edits: [Edit] = []
      for keyspace in manifest.keyspaces {
        var horizon = horizon(of: keyspace, in: &state)
        let time = horizon.advance(now: believed, monotonic: monotonicClock())
        state.horizons[keyspace.id] = horizon
        guard let edit = Expiry.edit(for: keyspace, horizon: time) else { continue }
        edits.append(edit)
        let loss = Expiry.loss(of: keyspace.windows, horizon: time)
        state.expiredWindows[keyspace.id, default: 0] += UInt64(loss.starts.count)
        state.expiredBytes[keyspace.id, default: 0] += loss.byteCount
      }
      return edits
    }
  }

  /// The edits that drop what databases hold beyond their quota, or the disk lacks. What lies before is refused from then on.
  package func drops(
    in manifest: ManifestState, quota: Quota, freeByteCount: UInt64?
  ) -> [Edit] {
    let drops = quota.drops(in: manifest.keyspaces, freeByteCount: freeByteCount)
    return state.withLock { state in
      drops.map { drop in
        if let keyspace = manifest.keyspaces.first(where: { $0.id == drop.keyspace }) {
          var horizon = horizon(of: keyspace, in: &state)
          horizon.raise(to: drop.horizon)
          state.horizons[keyspace.id] = horizon
        }
        state.quotaWindows[drop.keyspace, default: 0] += UInt64(drop.starts.count)
        state.quotaBytes[drop.keyspace, default: 0] += drop.byteCount
        return .dropWindows(keyspace: drop.keyspace, starts: drop.starts, horizon: drop.horizon)
      }
    }
  }

  /// Windows and bytes of a keyspace dropped for its database's quota, since start.
  package func quotaCounts(of keyspace: KeyspaceID) -> (windows: UInt64, bytes: UInt64) {
    state.withLock { ($0.quotaWindows[keyspace] ?? 0, $0.quotaBytes[keyspace] ?? 0) }
  }

  /// What dropping a keyspace's windows goes by: the horizon as it stands, both clocks, and the step that is doubted.
  package struct Standing: Sendable {
    package var horizon: Horizon
    package var now: Int64
    package var monotonic: Int64
    package var doubtedStep: StoreClock.Step?

    /// How long the step must still stand, nanoseconds.
    package var doubtRest: Int64 {
      doubtedStep.map { max(0, $0.standing - (monotonic - $0.since)) } ?? 0
    }
  }

  package func standing(of keyspace: KeyspaceState) -> Standing {
    state.withLock { state in
      let now = read(&state)
      return Standing(
        horizon: horizon(of: keyspace, in: &state), now: now, monotonic: monotonicClock(),
        doubtedStep: state.clock.doubted)
    }
  }

  /// Counts points that were refused because they were expired when they came.
  package func countExpiredOnArrival(_ count: Int, of keyspace: KeyspaceID) {
    state.withLock { $0.expiredOnArrival[keyspace, default: 0] += UInt64(count) }
  }

  /// Windows and bytes dropped, and points refused, of a keyspace since start.
  package func counts(of keyspace: KeyspaceID) -> (windows: UInt64, bytes: UInt64, onArrival: UInt64) {
    state.withLock { state in
      (
        state.expiredWindows[keyspace] ?? 0, state.expiredBytes[keyspace] ?? 0,
        state.expiredOnArrival[keyspace] ?? 0
      )
    }
  }

  private func read(_ state: inout State) -> Int64 {
    state.clock.read(wall: wallClock(), monotonic: monotonicClock())
  }

  private func horizon(of keyspace: KeyspaceState, in state: inout State) -> Horizon {
    if let known = state.horizons[keyspace.id] { return known }
    let made = Horizon(horizon: keyspace.horizon, ttl: keyspace.ttl, monotonic: monotonicClock())
    state.horizons[keyspace.id] = made
    return made
  }
}
