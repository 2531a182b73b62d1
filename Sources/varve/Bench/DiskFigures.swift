import Client

/// What keeping a load cost the disk of a server of ours: from its metrics, before and after.
struct DiskFigures {
  /// Log bytes synced a line accepted.
  var logBytesPerLine: Double
  /// Bytes of the database's tables, and the three amplifications (INTERFACE, metrics).
  var tableBytes: Int
  var writeAmplification: Double
  var readAmplification: Double
  var spaceAmplification: Double

  /// `nil` where the server shows no such metrics, as one of another make does.
  init?(before: Metrics?, after: Metrics?, database: String, accepted: Int) {
    func value(_ metrics: Metrics?, _ name: String, database: String? = nil) -> Double? {
      metrics?.samples.first { $0.name == name && $0.label("database") == database }?.value
    }
    guard let logBefore = value(before, "varve_wal_synced_bytes_total"),
      let logAfter = value(after, "varve_wal_synced_bytes_total"),
      let tableBytes = value(after, "varve_sstable_bytes", database: database),
      let write = value(after, "varve_write_amplification", database: database),
      let read = value(after, "varve_read_amplification", database: database),
      let space = value(after, "varve_space_amplification", database: database)
    else { return nil }
    logBytesPerLine = (logAfter - logBefore) / Double(max(accepted, 1))
    self.tableBytes = Int(tableBytes)
    (writeAmplification, readAmplification, spaceAmplification) = (write, read, space)
  }

  /// The metrics of a server, `nil` where it has no such page.
  static func metrics(_ client: HTTPClient) throws -> Metrics? {
    let response = try client.get("/metrics")
    return response.isSuccess ? Metrics(response.text) : nil
  }

  /// Has everything flushed and merged to the end.
  static func settle(_ client: HTTPClient) throws {
    let response = try client.postForm("/compact?wait=true", [])
    guard response.isSuccess else { throw CommandFailure("cannot settle: \(errorText(of: response))") }
  }
}
