import Storage

/// What differs between the configuration that a running server has and another one, by the names of flags.
struct ConfigurationChange {
  /// Changed in the running server.
  private(set) var adjustable: [String] = []
  /// Read at the start only.
  private(set) var fixed: [String] = []

  init(from old: ServerConfiguration, to new: ServerConfiguration) {
    let (was, will) = (old.store, new.store)
    adjustable = Self.names([
      ("rule", old.rules != new.rules),
      ("quota", was.quotas != will.quotas),
      ("disk-reserve", was.diskReserveByteCount != will.diskReserveByteCount),
      ("lateness", was.lateness != will.lateness),
      ("future-limit", was.futureLimit != will.futureLimit),
      ("compaction-rate", was.compactionBytesPerSecond != will.compactionBytesPerSecond),
    ])
    fixed = Self.names([
      ("data", old.dataDirectory != new.dataDirectory),
      ("http, tcp or udp", old.listeners != new.listeners),
      ("database", old.database != new.database),
      ("precision", old.precision != new.precision),
      ("crlf", old.carriageReturn != new.carriageReturn),
      ("retention", old.retention != new.retention),
      ("window", old.windowLength != new.windowLength),
      ("sync", was.sync != will.sync),
      ("memory", was.memoryByteCount != will.memoryByteCount),
      ("wal-limit", was.walByteCountMax != will.walByteCountMax),
      ("compaction-policy", was.compactionPolicy != will.compactionPolicy),
      ("compaction-jobs", was.compactorCount != will.compactorCount),
      ("max-line", old.lineByteCountMax != new.lineByteCountMax),
      ("series-limit", was.cardinality.seriesCountMax != will.cardinality.seriesCountMax),
      ("tag-values-limit", was.cardinality.tagValueCountMax != will.cardinality.tagValueCountMax),
    ])
  }

  private static func names(_ entries: [(name: String, differs: Bool)]) -> [String] {
    entries.filter(\.differs).map(\.name)
  }
}
