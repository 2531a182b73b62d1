extension Store {
  /// What every window holds and waits for. Reads the manifest's state and the memtable's counts, no file.
  public func compactionReport() -> CompactionReport {
    let now = retainer.now
    let picker = Picker(settings: writing?.compaction.settings ?? options.compactionSettings, now: now)
    let status = writing?.compaction.status() ?? CompactionStatus()
    var report = CompactionReport(
      time: now, isPaused: status.isPaused, jobsDone: status.jobCount,
      bytesWritten: status.bytesWritten.values.reduce(0, +), pendingBytes: 0, windows: [])
    for keyspace in publisher.version.keyspaces {
      report.pendingBytes += picker.debt(keyspace.state)
      let parts = Dictionary(grouping: memtable.parts(of: keyspace.id), by: \.window.lowerBound)
      for window in keyspace.state.windows {
        var row = Self.row(window, of: keyspace.state, picker: picker)
        for part in parts[window.start] ?? [] {
          row.memoryRows += part.rowCount
          row.memoryBytes += part.byteCount
        }
        Self.add(status, to: &row, WindowID(keyspace: keyspace.id, start: window.start), now: now)
        report.windows.append(row)
      }
    }
    return report
  }

  private static func row(
    _ window: WindowState, of keyspace: KeyspaceState, picker: Picker
  ) -> CompactionReport.Window {
    CompactionReport.Window(
      database: keyspace.database, policy: keyspace.policy, start: window.start, end: window.end,
      isClosed: picker.isClosed(window), runs: window.runs.count,
      tables: window.runs.reduce(0) { $0 + $1.tables.count }, rows: window.runs.reduce(0) { $0 + $1.rowCount },
      bytes: window.byteCount, memoryRows: 0, memoryBytes: 0, flushedAt: window.runs.map(\.publishedAt).max(),
      outlook: picker.outlook(window, in: keyspace), dueAt: picker.dueTime(window, in: keyspace),
      runningSince: nil, failure: nil, failureCount: 0, retryAt: nil)
  }

  /// What is under way in a window, or failed there. The scheduler's times are monotonic; the row's are the store clock's.
  private static func add(
    _ status: CompactionStatus, to row: inout CompactionReport.Window, _ id: WindowID, now: Int64
  ) {
    if let plan = status.running.first(where: { $0.window == id }) {
      row.outlook = "merging: \(plan.reason)"
      row.runningSince = status.startedAt[id].map { now + ($0 - status.monotonic) }
    } else if let failure = status.failures.first(where: { $0.window == id }) {
      row.failure = failure.error.description
      row.failureCount = failure.count
      if failure.retryAt < .max {
        row.retryAt = now + max(0, failure.retryAt - status.monotonic)
      } else {
        row.outlook = "damaged: \(failure.error.place); run `varve repair`"
        row.dueAt = nil
      }
    } else if status.isPaused, row.dueAt != nil {
      row.outlook += "; merging is paused"
    }
  }
}
