import Client

extension HTTPClient {
  /// - Throws: where no server answers, or not as one.
  func checkAlive() throws {
    let response = try get("/ping")
    guard response.isSuccess else { throw CommandFailure("\(baseURL)/ping answered \(response.status)") }
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
