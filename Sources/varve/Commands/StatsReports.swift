import Storage

/// Jobs and debt in one row, then a row a window.
func compactionReports(_ document: CompactionReport) -> [Report] {
  var jobs = Report("compaction", columns: ["state", "jobs_done", "written_bytes", "pending_bytes"])
  jobs.append([
    .text(document.isPaused ? "paused" : "running"), .bytes(document.jobsDone), .bytes(document.bytesWritten),
    .bytes(document.pendingBytes),
  ])
  var windows = Report(
    "windows",
    columns: [
      "database", "policy", "start", "end", "state", "runs", "tables", "rows", "bytes", "memory_rows",
      "memory_bytes", "flushed_at", "due_at", "outlook", "merging_since", "failures", "retry_at", "failure",
    ])
  for window in document.windows {
    windows.append([
      .text(window.database), .text(window.policy), .time(window.start), .time(window.end),
      .text(window.isClosed ? "closed" : "open"), .integer(window.runs), .integer(window.tables),
      .integer(window.rows), .bytes(window.bytes), .integer(window.memoryRows), .integer(window.memoryBytes),
      .time(window.flushedAt), .time(window.dueAt), .text(window.outlook), .time(window.runningSince),
      .integer(window.failureCount), .time(window.retryAt), window.failure.map { .text($0) } ?? .none,
    ])
  }
  return [jobs, windows]
}

/// A row a policy, then a row a window.
func retentionReports(_ document: RetentionReport) -> [Report] {
  var policies = Report(
    "retention",
    columns: [
      "database", "policy", "ttl_seconds", "windows", "bytes", "next_start", "next_end", "next_at", "next_bytes",
      "dropped_windows", "dropped_bytes",
    ])
  for policy in document.policies {
    policies.append([
      .text(policy.database), .text(policy.policy),
      policy.ttl == 0 ? .none : .integer(Int(policy.ttl / 1_000_000_000)), .integer(policy.windows),
      .bytes(policy.bytes), .time(policy.nextStart), .time(policy.nextEnd), .time(policy.nextAt),
      .bytes(policy.nextBytes), .bytes(policy.droppedWindows), .bytes(policy.droppedBytes),
    ])
  }
  var windows = Report(
    "windows",
    columns: ["database", "policy", "window", "start", "end", "bytes", "pinned_bytes", "drop_at", "why"])
  for window in document.windows {
    windows.append([
      .text(window.database), .text(window.policy), .text(window.name), .time(window.start), .time(window.end),
      .bytes(window.bytes), .bytes(window.pinnedBytes), .time(window.dropAt), .text(window.why),
    ])
  }
  return [policies, windows]
}

/// A row a database, then the largest measurements, tag keys and tag values.
func seriesReports(_ document: SeriesReport) -> [Report] {
  var databases = Report("series", columns: ["database", "live_series", "series", "bytes"])
  for database in document.databases {
    databases.append([
      .text(database.database), .integer(database.liveSeries), .integer(database.series), .bytes(database.bytes),
    ])
  }
  var entries = Report(
    "largest", columns: ["database", "kind", "measurement", "key", "value", "values", "series", "bytes"])
  for entry in document.entries {
    let kind = [SeriesReport.Kind.measurement: "measurement", .tagKey: "tag key", .tagValue: "tag value"][entry.kind]
    entries.append([
      .text(entry.database), .text(kind ?? ""), .text(entry.measurement), entry.key.map { .text($0) } ?? .none,
      entry.value.map { .text($0) } ?? .none, entry.values.map { .integer($0) } ?? .none, .integer(entry.series),
      .bytes(entry.bytes),
    ])
  }
  return [databases, entries]
}
