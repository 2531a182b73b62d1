import Storage

/// `POST /compact?wait=true&db=…&rp=…&window=…&flush_only=true`, `/compact/pause`, `/compact/resume`, `GET /compact/status`.
struct CompactRoute: Sendable {
  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "POST" || request.path == "/compact/status" else {
      return .now(.notAllowed("POST"))
    }
    return context.later { answer(request, $0) }
  }

  private func answer(_ request: HTTPRequest, _ store: Store) -> HTTPResponse {
    do throws(StorageError) {
      switch request.path {
      case "/compact/pause": store.pauseCompaction()
      case "/compact/resume": store.resumeCompaction()
      case "/compact/status": break
      default: try compact(request, store)
      }
      return .json(200, "{\"status\":\(jsonString(store.isCompactionPaused ? "paused" : "running"))}")
    } catch {
      return .error(error.code == .notFound ? 404 : 500, error.description)
    }
  }

  private func compact(_ request: HTTPRequest, _ store: Store) throws(StorageError) {
    var keyspaces: [KeyspaceID]?
    if let database = request.parameter("db") {
      if let policy = request.parameter("rp") {
        keyspaces = [try store.keyspace(database: database, policy: policy)]
      } else {
        guard let policies = store.policies(of: database) else {
          throw StorageError(.notFound, "database not found: \(database)")
        }
        keyspaces = policies.map(\.keyspace)
      }
    }
    if request.parameter("flush_only") == "true" { return try store.flush() }
    let window = request.parameter("window").flatMap { Int64($0) }
    try store.compact(
      keyspaces: keyspaces, window: window, waits: request.parameter("wait") == "true")
  }
}
