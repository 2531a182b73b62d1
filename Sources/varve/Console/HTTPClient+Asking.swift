import Client
import Query

extension HTTPClient {
  /// - Throws: where no server answers, or not as one.
  func checkAlive() throws {
    let response = try get("/ping")
    guard response.isSuccess else { throw CommandFailure("\(baseURL)/ping answered \(response.status)") }
  }

  /// `POST` of a form whose answer `receive` takes piece by piece; what it throws is thrown as it is.
  func postForm(
    _ path: String, _ parameters: [(name: String, value: String)],
    receiving receive: @escaping (RawSpan) throws -> Void
  ) throws -> HTTPResponse {
    do throws(ClientError) {
      return try postForm(path, parameters, receive: receive)
    } catch {
      if error.code == .stopped, let cause = receiverError { throw cause }
      throw error
    }
  }

  /// The results that an answer holds.
  func resultDocument(_ response: HTTPResponse) throws -> ResultDocument {
    do {
      return try ResultDocument(response.body)
    } catch {
      throw CommandFailure("\(baseURL) answered \(response.status) with what is no result: \(error)")
    }
  }

  /// What `/query` answers to a statement, times in nanoseconds.
  ///
  /// - Throws: `CommandFailure` with the statement and the server's words where it fails.
  func answer(_ statement: String, _ parameters: [(name: String, value: String)]) throws -> [ResultSeries] {
    let document = try resultDocument(postForm("/query", [("q", statement), ("epoch", "ns")] + parameters))
    if let error = document.error ?? document.results.compactMap(\.error).first {
      throw CommandFailure("\(baseURL): \(statement): \(error)")
    }
    return document.results.flatMap(\.series)
  }

  /// Writes lines of line protocol by `POST /write`.
  ///
  /// - Throws: with the server's words where one is refused.
  func write(_ lines: String, _ parameters: [(name: String, value: String)]) throws {
    let bytes = Array(lines.utf8)
    let result = unsafe bytes.withUnsafeBytes { bytes in
      Result { () throws(ClientError) in try unsafe post("/write", parameters, body: bytes) }
    }
    let response = try result.get()
    guard response.isSuccess else {
      throw CommandFailure("\(baseURL)/write answered \(response.status): \(errorText(of: response))")
    }
  }
}
