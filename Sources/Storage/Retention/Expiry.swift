/// Windows that expire, as pure functions over the manifest's state.
package enum Expiry {
  /// What a drop, or a TTL that is asked for, takes away.
  package struct Loss: Sendable, Equatable {
    /// Starts of the windows that go whole, ascending.
    package var starts: [Int64] = []
    package var byteCount: UInt64 = 0
    package var rowCount = 0

    package init(starts: [Int64] = [], byteCount: UInt64 = 0, rowCount: Int = 0) {
      self.starts = starts
      self.byteCount = byteCount
      self.rowCount = rowCount
    }
  }

  /// The windows that end at or before the horizon: all of their points are dropped, unread.
  package static func loss(of windows: [WindowState], horizon: Int64) -> Loss {
    var loss = Loss()
    for window in windows where window.end <= horizon {
      loss.starts.append(window.start)
      loss.byteCount += window.runs.reduce(0) { $0 + $1.byteCount }
      loss.rowCount += window.runs.reduce(0) { $0 + $1.rowCount }
    }
    return loss
  }

  /// The edit that drops what lies before the horizon; `nil` where nothing does.
  package static func edit(for keyspace: KeyspaceState, horizon: Int64) -> Edit? {
    let loss = loss(of: keyspace.windows, horizon: horizon)
    return loss.starts.isEmpty
      ? nil : .dropWindows(keyspace: keyspace.id, starts: loss.starts, horizon: horizon)
  }

  /// What `ALTER … DURATION` to `ttl` would take away: windows that go whole, and what of the rest becomes invisible is not counted.
  package static func loss(of keyspace: KeyspaceState, ttl: Int64, now: Int64) -> Loss {
    loss(of: keyspace.windows, horizon: max(keyspace.horizon, Horizon.cut(now, ttl)))
  }
}
