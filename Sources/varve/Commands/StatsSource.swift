import Client
import Server
import Storage

/// Where `varve stats` takes its views from.
protocol StatsSource {
  /// Samples of `/metrics`. `live` names the view where only a server has what it shows.
  func metrics(live view: String?) throws -> Metrics
  func client(live view: String) throws -> HTTPClient
  func compaction() throws -> CompactionReport
  func retention() throws -> RetentionReport
  func series(_ arguments: Arguments) throws -> SeriesReport
}

/// A running server.
struct ServerStats: StatsSource {
  private let client: HTTPClient

  init(_ arguments: Arguments) throws { client = try HTTPClient(arguments.text("server")) }

  func metrics(live view: String?) throws -> Metrics { try Metrics(client) }
  func client(live view: String) throws -> HTTPClient { client }
  func compaction() throws -> CompactionReport { try document("/stats/compaction") }
  func retention() throws -> RetentionReport { try document("/stats/retention") }

  func series(_ arguments: Arguments) throws -> SeriesReport {
    var parameters = [(name: "top", value: arguments.text("top"))]
    if let database = arguments.string("database") { parameters.append(("db", database)) }
    return try document(HTTPClient.target("/stats/series", parameters))
  }

  private func document<Document: Decodable>(_ path: String) throws -> Document {
    try client.document(client.get(path), of: path)
  }
}

/// A data directory, opened for reading.
struct DirectoryStats: StatsSource {
  private let store: Store

  init(_ arguments: Arguments) throws {
    var options = StoreOptions()
    options.isReadOnly = true
    store = try Store.open(directory: arguments.text("data"), options: options)
  }

  func metrics(live view: String?) throws -> Metrics {
    if let view { throw UsageError("\"\(view)\" is for a server, not for --data") }
    return Metrics(metricsPage(of: store))
  }

  func client(live view: String) throws -> HTTPClient {
    throw UsageError("\"\(view)\" is for a server, not for --data")
  }

  func compaction() throws -> CompactionReport { store.compactionReport() }
  func retention() throws -> RetentionReport { store.retentionReport() }

  func series(_ arguments: Arguments) throws -> SeriesReport {
    try store.seriesReport(top: arguments.integer("top") ?? 10, database: arguments.string("database"))
  }
}
