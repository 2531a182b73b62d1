import Storage

/// `GET /stats/compaction`, `/stats/retention`, `/stats/series?top=N&db=…`: one JSON document each.
struct StatsRoute: Sendable {
  /// Entries of each kind that `/stats/series` lists unless told.
  static let topDefault = 10

  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "GET" || request.method == "HEAD" else {
      return .now(.notAllowed("GET"))
    }
    return context.later { answer(request, $0) }
  }

  private func answer(_ request: HTTPRequest, _ store: Store) -> HTTPResponse {
    do throws(StorageError) {
      switch request.path {
      case "/stats/compaction": return .document(store.compactionReport())
      case "/stats/retention": return .document(store.retentionReport())
      default:
        let top = request.parameter("top").map { Int($0) ?? -1 } ?? Self.topDefault
        guard top >= 0 else { return .error(400, "top is a whole number") }
        return .document(try store.seriesReport(top: top, database: request.parameter("db")))
      }
    } catch {
      return .error(error.code == .notFound ? 404 : 500, error.description)
    }
  }
}

extension ServerContext {
  /// An answer that a worker makes of the store once its log is replayed; 503 where that is not in time.
  func later(_ answer: @escaping @Sendable (Store) -> HTTPResponse) -> HTTPReply {
    .later { exchange in
      self.submit(from: .ready) { opened in
        switch opened {
        case .success(let opened): exchange.answer(answer(opened.store))
        case .failure(let error): exchange.answer(.unavailable(error))
        }
      }
    }
  }
}
