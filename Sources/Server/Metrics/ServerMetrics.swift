import CShims
import LineProtocol
public import Storage
import Synchronization

/// The page `/metrics` of a store without a server: what a closed directory can show.
public func metricsPage(of store: Store) -> String {
  let metrics = ServerMetrics(ingest: [], kernelDrops: { [] })
  return String(decoding: metrics.page(store.statistics()), as: UTF8.self)
}

/// What the server counts itself, and the page that shows it beside the store's figures.
final class ServerMetrics: Sendable {
  /// One a listener, in the order of their start.
  let ingest: [IngestCounters]
  private let openFileCountMax: Int
  let querySeconds = Histogram(bounds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
  let queriesActive = Atomic<Int>(0)
  /// Kernel drops by UDP listener, read when asked.
  private let kernelDrops: @Sendable () -> [(listener: String, drops: UInt64)]

  /// - Parameter openFileCountMax: files that the process may hold open; 0 where that is of no interest.
  init(
    ingest: [IngestCounters], openFileCountMax: Int = 0,
    kernelDrops: @escaping @Sendable () -> [(listener: String, drops: UInt64)]
  ) {
    self.ingest = ingest
    self.openFileCountMax = openFileCountMax
    self.kernelDrops = kernelDrops
  }

  /// The whole page. `store` is `nil` while it is being opened.
  ///
  /// - Parameter used: what parts of the memory hold that the store does not count.
  func page(_ store: StoreStatistics?, used: [MemoryBudget.Part: Int] = [:]) -> [UInt8] {
    var text = MetricsText()
    addIngest(to: &text)
    addConnections(to: &text)
    text.family("varve_query_seconds", .histogram, "Time of statements, from request to answer.")
    let (counts, sum) = querySeconds.snapshot
    text.histogram("varve_query_seconds", bounds: querySeconds.bounds, counts: counts, sum: sum)
    text.family("varve_queries_active", .gauge, "Requests to /query under way.")
    text.sample("varve_queries_active", [], queriesActive.load(ordering: .relaxed))
    if let store {
      addLog(store, to: &text)
      addDatabases(store.databases, to: &text)
      addCardinality(store, to: &text)
      addReading(store, to: &text)
      addMemory(store, used, to: &text)
    }
    return text.bytes
  }

  private func addConnections(to text: inout MetricsText) {
    typealias Gauge = (String, MetricsText.Kind, String, (IngestCounters) -> UInt64)
    let gauges: [Gauge] = [
      ("varve_connections", .gauge, "Connections that are open.", { UInt64(max(0, $0.connections.load(ordering: .relaxed))) }),
      ("varve_connection_limit", .gauge, "Connections at once: more are closed over TCP, and wait over HTTP.", { UInt64($0.connectionCountMax) }),
      (
        "varve_connections_refused_total", .counter, "Connections closed at once because of the limit.",
        { $0.refusedConnections.load(ordering: .relaxed) }
      ),
    ]
    for (name, kind, help, value) in gauges {
      text.family(name, kind, help)
      for listener in ingest where listener.connectionCountMax > 0 {
        text.sample(name, [("listener", listener.listener)], value(listener))
      }
    }
    if openFileCountMax > 0 {
      text.family("varve_open_files_limit", .gauge, "Files and sockets that the process may hold open.")
      text.sample("varve_open_files_limit", [], openFileCountMax)
    }
  }

  private func addIngest(to text: inout MetricsText) {
    text.family("varve_ingest_lines_total", .counter, "Points that can be read, and refused lines.")
    for listener in ingest {
      let rejected = listener.rejectCounts.reduce(0, +)
      text.sample(
        "varve_ingest_lines_total", [("listener", listener.listener), ("result", "accepted")],
        listener.accepted.load(ordering: .relaxed))
      text.sample(
        "varve_ingest_lines_total", [("listener", listener.listener), ("result", "rejected")], rejected)
    }
    text.family("varve_ingest_rejects_total", .counter, "Refused lines by reason.")
    for listener in ingest {
      for (reason, count) in zip(RejectReason.allCases, listener.rejectCounts) {
        text.sample(
          "varve_ingest_rejects_total", [("listener", listener.listener), ("reason", reason.label)], count)
      }
    }
    typealias Counter = (String, String, (IngestCounters) -> UInt64)
    let counters: [Counter] = [
      ("varve_ingest_bytes_total", "Bytes received.", { $0.bytes.load(ordering: .relaxed) }),
      (
        "varve_ingest_old_timestamps_total", "Points stored whose time lies before 1990.",
        { $0.oldTimestamps.load(ordering: .relaxed) }
      ),
      ("varve_udp_datagrams_total", "Datagrams received.", { $0.datagrams.load(ordering: .relaxed) }),
      (
        "varve_udp_truncated_total", "Datagrams longer than a receive buffer, their last line dropped.",
        { $0.truncatedDatagrams.load(ordering: .relaxed) }
      ),
      (
        "varve_udp_overload_drops_total", "Lines of datagrams that could not be stored.",
        { $0.overloadDrops.load(ordering: .relaxed) }
      ),
    ]
    for (name, help, value) in counters {
      text.family(name, .counter, help)
      for listener in ingest where !name.hasPrefix("varve_udp") || listener.listener.hasPrefix("udp") {
        text.sample(name, [("listener", listener.listener)], value(listener))
      }
    }
    text.family("varve_udp_kernel_drops_total", .counter, "Datagrams that the kernel dropped for want of buffer.")
    for (listener, drops) in kernelDrops() {
      text.sample("varve_udp_kernel_drops_total", [("listener", listener)], drops)
    }
  }

  private func addLog(_ store: StoreStatistics, to text: inout MetricsText) {
    text.family("varve_wal_synced_bytes_total", .counter, "Bytes of the log made durable.")
    text.sample("varve_wal_synced_bytes_total", [], store.walSyncedBytes)
    text.family("varve_wal_syncs_total", .counter, "Syncs of the log.")
    text.sample("varve_wal_syncs_total", [], store.walSyncs)
    text.family("varve_wal_sync_seconds", .histogram, "Time of a sync of the log.")
    text.histogram(
      "varve_wal_sync_seconds", bounds: StoreStatistics.walSyncBounds, counts: store.walSyncBuckets,
      sum: store.walSyncSeconds)
    text.family("varve_wal_torn_bytes_total", .counter, "Bytes cut from the log's end at start.")
    text.sample("varve_wal_torn_bytes_total", [], store.walTornBytes)
    text.family("varve_wal_bytes", .gauge, "Bytes of the log that a start would replay.")
    text.sample("varve_wal_bytes", [], store.walBytes)
    text.family("varve_reserve_bytes", .gauge, "Space kept on the disk for edits; less where the disk is full.")
    text.sample("varve_reserve_bytes", [], store.reserveBytes)
    text.family("varve_degraded", .gauge, "1 while writes are refused.")
    text.sample("varve_degraded", [("kind", store.degraded ?? "none")], store.degraded == nil ? 0 : 1)
  }

  private func addDatabases(_ databases: [StoreStatistics.Database], to text: inout MetricsText) {
    typealias Row = (String, MetricsText.Kind, String, (StoreStatistics.Database) -> Double)
    let nanosecond = 1e-9
    let rows: [Row] = [
      ("varve_memtable_bytes", .gauge, "Bytes not yet in tables.", { Double($0.memtableBytes) }),
      ("varve_live_series", .gauge, "Series with rows that are not yet in tables.", { Double($0.liveSeries) }),
      ("varve_sstable_bytes", .gauge, "Bytes of tables.", { Double($0.tableBytes) }),
      ("varve_sstables", .gauge, "Tables.", { Double($0.tables) }),
      ("varve_windows", .gauge, "Time windows that hold tables.", { Double($0.windows) }),
      ("varve_quota_bytes", .gauge, "Bytes of tables that the database may hold; 0: no bound.", { Double($0.quotaLimitBytes) }),
      ("varve_quota_dropped_windows_total", .counter, "Windows dropped for the quota.", { Double($0.quotaWindows) }),
      ("varve_quota_dropped_bytes_total", .counter, "Bytes of tables dropped for the quota.", { Double($0.quotaBytes) }),
      ("varve_tombstones", .gauge, "Deletes that are not carried out everywhere on the disk.", { Double($0.tombstones) }),
      ("varve_window_runs_max", .gauge, "Sorted runs in the window that has most.", { Double($0.windowRunsMax) }),
      (
        "varve_compaction_pending_bytes", .gauge, "Bytes that merging still has to write.",
        { Double($0.compactionPendingBytes) }
      ),
      (
        "varve_compaction_written_bytes_total", .counter, "Bytes of tables written by merging.",
        { Double($0.compactionWrittenBytes) }
      ),
      (
        "varve_flush_written_bytes_total", .counter, "Bytes of tables written by flushing.",
        { Double($0.flushWrittenBytes) }
      ),
      (
        "varve_stall_seconds_total", .counter, "Time that writers were held back.",
        { Double($0.stallNanoseconds) * nanosecond }
      ),
      ("varve_write_amplification", .gauge, "Bytes written to tables over bytes that stand.", { $0.writeAmplification }),
      (
        "varve_read_amplification", .gauge, "Tables read over windows read, by queries of one series.",
        { $0.readAmplification }
      ),
      ("varve_space_amplification", .gauge, "Bytes of tables over bytes in settled runs.", { $0.spaceAmplification }),
      ("varve_expired_windows_total", .counter, "Windows dropped whole.", { Double($0.expiredWindows) }),
      ("varve_expired_bytes_total", .counter, "Bytes of tables dropped with their windows.", { Double($0.expiredBytes) }),
      (
        "varve_expired_on_arrival_total", .counter, "Points refused because they were expired when they came.",
        { Double($0.expiredOnArrival) }
      ),
    ]
    for (name, kind, help, value) in rows {
      text.family(name, kind, help)
      for database in databases { text.sample(name, [("database", database.name)], value(database)) }
    }
  }

  private func addCardinality(_ store: StoreStatistics, to text: inout MetricsText) {
    text.family("varve_series_refused_total", .counter, "Points refused because their series was one too many.")
    for database in store.databases {
      let counts = [("series", database.refusedBySeriesLimit), ("tag_values", database.refusedByTagValuesLimit)]
      for (limit, count) in counts {
        text.sample("varve_series_refused_total", [("database", database.name), ("limit", limit)], count)
      }
    }
    text.family("varve_tag_values_max", .gauge, "Values of the tag key that has most, of live series.")
    for database in store.databases {
      text.sample("varve_tag_values_max", [("database", database.name)], database.tagValuesMax)
    }
    text.family("varve_cardinality_limit", .gauge, "What may be live at once; 0 is no limit.")
    text.sample("varve_cardinality_limit", [("limit", "series")], store.cardinality.seriesCountMax)
    text.sample("varve_cardinality_limit", [("limit", "tag_values")], store.cardinality.tagValueCountMax)
  }

  private func addMemory(_ store: StoreStatistics, _ used: [MemoryBudget.Part: Int], to text: inout MetricsText) {
    text.family("varve_memory_budget_bytes", .gauge, "What each part of the process may hold; together --memory.")
    for memory in store.memory {
      text.sample("varve_memory_budget_bytes", [("part", memory.part.rawValue)], memory.budgetBytes)
    }
    text.family("varve_memory_used_bytes", .gauge, "What each part holds, where that is counted.")
    for memory in store.memory {
      guard let bytes = memory.usedBytes ?? used[memory.part] else { continue }
      text.sample("varve_memory_used_bytes", [("part", memory.part.rawValue)], bytes)
    }
    text.family("varve_process_resident_bytes", .gauge, "Memory of the process as the kernel counts it.")
    text.sample("varve_process_resident_bytes", [], UInt64(max(0, CShims_resident_bytes())))
  }

  private func addReading(_ store: StoreStatistics, to text: inout MetricsText) {
    typealias Row = (String, MetricsText.Kind, String, Double)
    let rows: [Row] = [
      ("varve_block_cache_bytes", .gauge, "Bytes of blocks kept in memory.", Double(store.blockCacheBytes)),
      ("varve_block_cache_hits_total", .counter, "Blocks found in memory.", Double(store.blockCacheHits)),
      ("varve_block_cache_misses_total", .counter, "Blocks read from disk.", Double(store.blockCacheMisses)),
      ("varve_sstable_read_bytes_total", .counter, "Bytes read from tables.", Double(store.tableReadBytes)),
      (
        "varve_bloom_skips_total", .counter, "Tables that a Bloom filter spared a query.", Double(store.bloomSkips)
      ),
      (
        "varve_snapshot_pinned_bytes", .gauge, "Bytes of replaced or dropped tables that are still read.",
        Double(store.snapshotPinnedBytes)
      ),
      (
        "varve_snapshot_oldest_seconds", .gauge, "Age of the oldest snapshot held.",
        Double(store.snapshotOldestNanoseconds) * 1e-9
      ),
    ]
    for (name, kind, help, value) in rows {
      text.family(name, kind, help)
      text.sample(name, [], value)
    }
    text.family("varve_corruptions_total", .counter, "Damage met, by the kind of file.")
    for found in store.corruptions {
      text.sample("varve_corruptions_total", [("database", found.database), ("kind", found.kind)], found.count)
    }
  }
}
