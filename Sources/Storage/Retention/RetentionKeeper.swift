import Synchronization

/// The store clock and every keyspace's horizon, shared by receivers, readers and the upkeep thread.
///
/// It decides; the store publishes: `tick` says which windows to drop, as edits. Clocks come in from outside, in nanoseconds.
package final class RetentionKeeper: Sendable {
  /// How often the store clock is noted in the manifest while anything expires.
  package static let noteInterval: Int64 = 3_600 * 1_000_000_000

  private struct State {
    var clock: StoreClock
    var horizons: [KeyspaceID: Horizon] = [:]
    var notedAt: Int64
  }

  private let wall: @Sendable () -> Int64
  private let monotonic: @Sendable () -> Int64
  private let state: Mutex<State>

  /// - Parameter manifest: as opened; its newest time is where the store clock starts.
  package init(
    manifest: ManifestState, wall: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Int64
  ) {
    self.wall = wall
    self.monotonic = monotonic
    let reading = monotonic()
    var state = State(
      clock: StoreClock(wall: wall(), monotonic: reading, lastKnown: manifest.lastKnownTime),
      notedAt: manifest.clock)
    for keyspace in manifest.keyspaces {
      state.horizons[keyspace.id] = Horizon(horizon: keyspace.horizon, ttl: keyspace.ttl, monotonic: reading)
    }
    self.state = Mutex(state)
  }

  /// The store clock, and the step it doubts, if any.
  package func now() -> (time: Int64, doubted: StoreClock.Step?) {
    let (wall, monotonic) = (wall(), monotonic())
    return state.withLock { ($0.clock.read(wall: wall, monotonic: monotonic), $0.clock.doubted) }
  }

  /// Points of a keyspace before it are invisible, and refused as expired; `Int64.min` where nothing expires.
  package func floor(of keyspace: KeyspaceID) -> Int64 {
    let (wall, monotonic) = (wall(), monotonic())
    return state.withLock { state in
      let now = state.clock.read(wall: wall, monotonic: monotonic)
      return state.horizons[keyspace]?.floor(now: now) ?? .min
    }
  }

  /// Begins to keep a keyspace that was made just now.
  package func add(_ keyspace: KeyspaceState) {
    let reading = monotonic()
    state.withLock {
      $0.horizons[keyspace.id] = Horizon(horizon: keyspace.horizon, ttl: keyspace.ttl, monotonic: reading)
    }
  }

  /// Forgets a keyspace that was dropped.
  package func remove(_ keyspace: KeyspaceID) { state.withLock { $0.horizons[keyspace] = nil } }

  /// Takes a keyspace's new TTL; the edit, if any, goes into the manifest together with the `alterKeyspace` that says the TTL:
  /// a longer one must not bring back what a horizon not yet kept has passed.
  package func alter(_ keyspace: KeyspaceID, ttl: Int64) -> Edit? {
    let (wall, reading) = (wall(), monotonic())
    return state.withLock { state in
      let now = state.clock.read(wall: wall, monotonic: reading)
      guard var horizon = state.horizons[keyspace] else { return nil }
      let kept = horizon.advance(now: state.clock.doubted == nil ? now : nil, monotonic: reading)
      horizon.alter(ttl: ttl, monotonic: reading)
      state.horizons[keyspace] = horizon
      return kept == .min ? nil : .setHorizon(keyspace: keyspace, horizon: kept)
    }
  }

  /// Moves the horizons, and says what to publish: windows to drop, and once an hour the clock. Every few seconds.
  package func tick(_ keyspaces: [KeyspaceState]) -> [Edit] {
    let (wall, reading) = (wall(), monotonic())
    return state.withLock { state in
      let now = state.clock.read(wall: wall, monotonic: reading)
      let trusted = state.clock.doubted == nil ? now : nil
      var edits: [Edit] = []
      for keyspace in keyspaces {
        guard let horizon = state.horizons[keyspace.id]?.advance(now: trusted, monotonic: reading) else { continue }
        if let edit = Expiry.edit(for: keyspace, horizon: horizon) { edits.append(edit) }
      }
      let expires = keyspaces.contains { $0.ttl > 0 }
      if let trusted, expires, trusted.subtractingClamped(state.notedAt) >= Self.noteInterval {
        edits.append(.noteClock(trusted))
        state.notedAt = trusted
      }
      return edits
    }
  }

  /// What to publish at close: horizons that moved, and the clock.
  package func closingEdits(_ keyspaces: [KeyspaceState]) -> [Edit] {
    let (wall, reading) = (wall(), monotonic())
    return state.withLock { state in
      let now = state.clock.read(wall: wall, monotonic: reading)
      guard state.clock.doubted == nil else { return [] }
      var edits: [Edit] = []
      for keyspace in keyspaces {
        guard let horizon = state.horizons[keyspace.id]?.advance(now: now, monotonic: reading) else { continue }
        if horizon > keyspace.horizon { edits.append(.setHorizon(keyspace: keyspace.id, horizon: horizon)) }
      }
      return edits + [.noteClock(now)]
    }
  }
}
