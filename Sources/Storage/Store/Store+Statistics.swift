extension Store {
  /// Counters and gauges for `/metrics` and `stats`.
  public func statistics() -> StoreStatistics {
    var out = StoreStatistics()
    let version = publisher.version
    for name in version.databases.sorted() {
      out.databases.append(statistics(of: name, in: version))
    }
    if let log {
      let counts = log.statistics()
      out.walSyncedBytes = counts.syncedByteCount
      out.walSyncs = counts.syncCount
      out.walSyncBuckets = counts.syncBuckets
      out.walSyncSeconds = counts.syncSeconds
      out.walBytes = counts.byteCount
      out.degraded = counts.degraded
    }
    out.degraded = out.degraded ?? publisher.manifest.failure?.description
    out.reserveBytes = reserve.byteCount
    out.walTornBytes = survey.summary.tornByteCount
    out.cardinality = options.cardinality
    out.memory = MemoryBudget.Part.allCases.map { part in
      StoreStatistics.Memory(part: part, budgetBytes: options.memory.share(of: part), usedBytes: usedByteCount(of: part))
    }
    out.blockCacheBytes = cache.byteCount
    out.blockCacheHits = cache.hits
    out.blockCacheMisses = cache.misses
    (out.tableReadBytes, out.bloomSkips) = publisher.readCounts
    out.snapshotOldestNanoseconds = snapshots.oldestNanoseconds
    out.snapshotPinnedBytes = publisher.janitor.heldFiles.values.reduce(0, +)
    out.corruptions = damage.counts(databases: version.databases).map {
      StoreStatistics.Corruptions(database: $0.database, kind: $0.kind.rawValue, count: $0.count)
    }
    return out
  }

  /// What a part of the memory holds, where the store counts it.
  private func usedByteCount(of part: MemoryBudget.Part) -> Int? {
    switch part {
    case .memtable:
      let bytes = memtable.pool.byteCounts
      return bytes.taken + bytes.idle
    case .series: return seriesMemory.byteCount
    case .log: return log.map { $0.memoryByteCount }
    case .cache: return cache.byteCount
    case .compaction: return writing.map { $0.compaction.status().running.count * MemoryBudget.jobByteCount }
    case .process, .queries, .bodies: return nil
    }
  }

  private func statistics(of name: String, in version: Version) -> StoreStatistics.Database {
    var out = StoreStatistics.Database()
    out.name = name
    let census = censuses.census(of: name)
    out.refusedBySeriesLimit = census.refusedCount(.series)
    out.refusedByTagValuesLimit = census.refusedCount(.tagValues)
    out.tagValuesMax = census.counts.tagValuesMax
    // Of its policies, by their bytes.
    var weighted = 0.0
    var reads: (tables: UInt64, windows: UInt64) = (0, 0)
    for keyspace in version.keyspaces where keyspace.state.database == name {
      let memory = memtable.totals(of: keyspace.id)
      out.memtableBytes += memory.byteCount
      out.liveSeries += memory.liveSeriesCount
      out.tombstones += keyspace.state.tombstones.count
      for window in keyspace.state.windows where !window.runs.isEmpty {
        out.windows += 1
        out.windowRunsMax = max(out.windowRunsMax, window.runs.count)
        for run in window.runs {
          out.tables += run.tables.count
          out.tableBytes += run.byteCount
        }
      }
      let byteCount = keyspace.state.windows.flatMap(\.runs).reduce(0) { $0 + $1.byteCount }
      weighted += Amplification.space(keyspace.state) * Double(byteCount)
      let expired = retainer.counts(of: keyspace.id)
      out.expiredWindows += expired.windows
      out.expiredBytes += expired.bytes
      out.expiredOnArrival += expired.onArrival
      let beyond = retainer.quotaCounts(of: keyspace.id)
      out.quotaWindows += beyond.windows
      out.quotaBytes += beyond.bytes
      out.quotaLimitBytes = adjustable.quotas[name] ?? 0
      if let counters = snapshots.reads(of: keyspace.id) {
        reads = (reads.tables + counters.tables, reads.windows + counters.windows)
      }
      guard let writing else { continue }
      out.flushWrittenBytes += writing.flusher.writtenBytes(of: keyspace.id)
      out.compactionWrittenBytes += writing.compaction.status().bytesWritten[keyspace.id] ?? 0
      out.compactionPendingBytes += writing.compaction.debt(keyspace.state, now: retainer.now)
      out.stallNanoseconds += writing.pressure.stalledNanoseconds(of: keyspace.id)
    }
    out.writeAmplification = Amplification.write(
      flushed: out.flushWrittenBytes, compacted: out.compactionWrittenBytes, standing: out.tableBytes)
    out.readAmplification = Amplification.read(tables: reads.tables, windows: reads.windows)
    out.spaceAmplification = out.tableBytes == 0 ? 1 : weighted / Double(out.tableBytes)
    return out
  }
}
