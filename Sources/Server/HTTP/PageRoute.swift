import Page

/// `GET /` and what it loads: the server's page, whose files lie in the binary.
///
/// It needs no store, so it is there from the first moment on: while the log is replayed the page shows how far that is.
struct PageRoute: Sendable {
  /// What the page may do: run its own scripts, use its own style sheet, ask this server. Nothing comes from elsewhere, nothing runs
  /// that stands in the markup, and no other page may show it in a frame.
  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    + "form-action 'none'; frame-ancestors 'none'"

  static func isPage(_ path: String) -> Bool { path == "/" || path.hasPrefix("/page/") }

  func reply(to request: HTTPRequest) -> HTTPResponse {
    guard request.method == "GET" || request.method == "HEAD" else {
      return .notAllowed("GET, HEAD")
    }
    guard let file = PageFile.at(request.path) else { return .error(404, "404 page not found: \(request.path)") }
    var headers = [
      ("Content-Type", file.contentType), ("Content-Security-Policy", Self.policy), ("X-Content-Type-Options", "nosniff"),
      ("Referrer-Policy", "no-referrer"), ("Vary", "Accept-Encoding"), ("ETag", file.tag),
    ]
    // Another binary has another page: it is asked for anew each time, and sent only if it changed.
    headers.append(("Cache-Control", "no-cache"))
    if request.headers["if-none-match"]?.contains(file.tag) == true { return HTTPResponse(status: 304, headers: headers) }
    return HTTPResponse(status: 200, headers: headers, body: file.bytes)
  }
}
