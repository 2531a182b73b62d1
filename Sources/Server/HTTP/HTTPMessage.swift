import FoundationEssentials
import Query
import Storage

/// A request, whole: what a route answers.
struct HTTPRequest: Sendable {
  var method: String
  /// Without the query string, percent-decoded.
  var path: String
  /// Of the query string, then of a form body; the first of a name counts.
  var parameters: [(name: String, value: String)] = []
  /// Names in lower case.
  var headers = HTTPHeaders()
  /// As received, compressed where `content-encoding` says so.
  var body: [UInt8] = []

  /// A parameter's value; `nil` where it is not given.
  func parameter(_ name: String) -> String? {
    parameters.first { $0.name == name }?.value
  }
}

/// The headers of a request: a few, so that looking at each costs less than a table of hashes.
struct HTTPHeaders: Sendable {
  private var entries: [(name: String, value: String)] = []

  /// The last of a name, which is in lower case.
  subscript(name: String) -> String? { entries.last { $0.name == name }?.value }

  /// Takes one as it stands in the request.
  mutating func append(_ name: String, _ value: String) { entries.append((name.lowercased(), value)) }
}

/// An answer: whole, or one whose body is made while it is sent.
struct HTTPResponse: Sendable {
  var status: UInt32
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  /// What the body holds of the memory of queries.
  var account: QueryAccount?
  /// Where the body comes from, if it is sent while it is made.
  var stream: ResponseStream?

  init(status: UInt32, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// JSON in `text`, a newline at its end.
  static func json(_ status: UInt32, _ text: String, headers: [(name: String, value: String)] = []) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [("Content-Type", "application/json")] + headers, body: Array((text + "\n").utf8))
  }

  /// A value as one JSON document.
  static func document(_ value: some Encodable) -> HTTPResponse {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return .json(200, String(decoding: try encoder.encode(value), as: UTF8.self))
    } catch {
      return .error(500, "\(error)")
    }
  }

  /// `{"error":…}` with InfluxDB's header beside it.
  static func error(_ status: UInt32, _ message: String, headers: [(name: String, value: String)] = []) -> HTTPResponse {
    let flat = message.replacing("\n", with: " ")
    let header = String(decoding: flat.utf8.prefix(1_024).filter { $0 >= 0x20 && $0 != 0x7f }, as: UTF8.self)
    return json(status, "{\"error\":\(jsonString(message))}", headers: headers + [("X-Influxdb-Error", header)])
  }

  /// The path has other methods, and `OPTIONS` beside them.
  static func notAllowed(_ methods: String) -> HTTPResponse {
    .error(405, "Method Not Allowed", headers: [("Allow", "OPTIONS, \(methods)")])
  }

  /// What needs the store cannot be had now: try again.
  static func unavailable(_ error: StorageError) -> HTTPResponse {
    .error(503, error.description, headers: [("Retry-After", "1")])
  }

  static func plain(_ status: UInt32, _ text: String) -> HTTPResponse {
    HTTPResponse(status: status, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
  }
}

/// A JSON string literal.
func jsonString(_ text: String) -> String {
  var out: [UInt8] = []
  out.appendJSONString(text)
  return String(decoding: out, as: UTF8.self)
}

/// Decodes `application/x-www-form-urlencoded` text: pairs in order.
func parseForm(_ text: [UInt8]) -> [(name: String, value: String)] {
  var pairs: [(name: String, value: String)] = []
  var rest = text[...]
  while !rest.isEmpty {
    let pair = rest.prefix { $0 != UInt8(ascii: "&") }
    rest = rest[pair.endIndex...].dropFirst()
    if pair.isEmpty { continue }
    let name = pair.prefix { $0 != UInt8(ascii: "=") }
    pairs.append((percentDecode(name), percentDecode(pair[name.endIndex...].dropFirst())))
  }
  return pairs
}

/// Decodes `%XX` and `+`; a `%` that is not followed by two hexadecimal digits stays.
private func percentDecode(_ text: ArraySlice<UInt8>) -> String {
  func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
  var out: [UInt8] = []
  let text = text.span
  out.append(addingCapacity: text.count) { out in
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "%"), index + 2 < text.count, let high = digit(text[index + 1]),
        let low = digit(text[index + 2])
      {
        out.append(high << 4 | low)
        index += 3
      } else {
        out.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
        index += 1
      }
    }
  }
  return String(decoding: out, as: UTF8.self)
}

extension HTTPRequest {
  /// The request with the parameters of a form in its body behind those of the query string.
  var withForm: HTTPRequest {
    guard method == "POST", headers["content-type"]?.hasPrefix("application/x-www-form-urlencoded") == true else { return self }
    var merged = self
    merged.parameters += parseForm(body)
    return merged
  }
}
