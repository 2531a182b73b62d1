extension Store {
  /// Series and disk bytes by measurement, tag key and tag value, from the tables' dictionaries and the live parts.
  ///
  /// Reads every dictionary of the database; memory is bounded by `SeriesReport.exactSeriesCountMax` series, one measurement at a
  /// time.
  ///
  /// - Parameters:
  ///   - top: entries of each kind and database.
  ///   - database: only that one; `nil`: all.
  /// - Throws: `.notFound` for a database that is not there; what reading a table meets, but for damage: that is left out.
  public func seriesReport(top: Int, database: String? = nil) throws(StorageError) -> SeriesReport {
    let version = publisher.version
    if let database, !version.databases.contains(database) {
      throw StorageError(.notFound, "database not found: \(database)")
    }
    return try containing(LeftOut()) { leftOut throws(StorageError) in
      var report = SeriesReport(databases: [], entries: [])
      for name in version.databases.sorted() where database == nil || database == name {
        let keyspaces = version.keyspaces.filter { $0.state.database == name }.map(\.id)
        try add(name, keyspaces, top: top, leavingOut: leftOut, to: &report)
      }
      return report
    }
  }

  private func add(
    _ database: String, _ keyspaces: [KeyspaceID], top: Int, leavingOut leftOut: LeftOut,
    to report: inout SeriesReport
  ) throws(StorageError) {
    var snapshots: [Snapshot] = []
    for keyspace in keyspaces { snapshots.append(try snapshot(of: keyspace, leavingOut: leftOut)) }
    var names: Set<[UInt8]> = []
    for snapshot in snapshots { try names.formUnion(snapshot.measurements()) }
    var total = SeriesReport.Database(
      database: database, liveSeries: keyspaces.reduce(0) { $0 + memtable.totals(of: $1).liveSeriesCount },
      series: 0, bytes: 0)
    var entries: [SeriesReport.Kind: [SeriesReport.Entry]] = [:]
    for name in names {
      let measurement = String(decoding: name, as: UTF8.self)
      var sample = SeriesSample(countMax: SeriesReport.exactSeriesCountMax)
      var byteCount: UInt64 = 0
      for snapshot in snapshots { byteCount += try Self.add(snapshot, name, to: &sample) }
      total.series += sample.count
      total.bytes += byteCount
      let found = SeriesReport.Entry(
        database: database, kind: .measurement, measurement: measurement, key: nil, value: nil, values: nil,
        series: sample.count, bytes: byteCount)
      for entry in [found]
        + SeriesTally(sample).entries(database: database, measurement: measurement, top: top)
      {
        entries[entry.kind, default: []].append(entry)
      }
      for kind in entries.keys { entries[kind] = Self.largest(entries[kind] ?? [], top) }
    }
    report.databases.append(total)
    for kind in [SeriesReport.Kind.measurement, .tagKey, .tagValue] { report.entries += entries[kind] ?? [] }
  }

  /// The entries with the most series, most first; of equal ones by bytes, then name.
  private static func largest(_ entries: [SeriesReport.Entry], _ top: Int) -> [SeriesReport.Entry] {
    let sorted = entries.sorted { a, b in
      if a.series != b.series { return a.series > b.series }
      if a.bytes != b.bytes { return a.bytes > b.bytes }
      return (a.measurement, a.key ?? "", a.value ?? "") < (b.measurement, b.key ?? "", b.value ?? "")
    }
    return Array(sorted.prefix(top))
  }

  /// Adds the series of a measurement in a snapshot; returns its bytes on disk.
  private static func add(
    _ snapshot: Snapshot, _ measurement: [UInt8], to sample: inout SeriesSample
  ) throws(StorageError) -> UInt64 {
    var byteCount: UInt64 = 0
    for window in snapshot.windows {
      for run in window.runs where run.damage(of: measurement).whole == nil {
        // What is deleted counts until it is off the disk: its bytes are there.
        if let table = run.unmasked as? Table {
          byteCount += try table.forEachSeries(of: measurement) { sample.add($0, byteCount: $1) }
        } else {
          let list = try run.series(of: measurement, where: nil)
          for index in 0..<list.count { sample.add(list.keyBytes[list.keyRange(index)], byteCount: 0) }
        }
      }
    }
    return byteCount
  }
}
