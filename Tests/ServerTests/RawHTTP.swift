/// One HTTP/1.1 request written byte by byte as a test wants it, and its answer.
struct RawHTTP {
  var status = 0
  /// Names in lower case.
  var headers: [String: String] = [:]
  var body: [UInt8] = []
  /// It came in chunks, and the last of them is missing.
  var isCut = false

  var text: String { String(decoding: body, as: UTF8.self) }

  /// Sends a request with a body of known length and reads the answer.
  static func ask(
    _ address: String, _ method: String, _ target: String, headers: [String] = [], body: [UInt8] = [],
    version: String = "HTTP/1.1"
  ) throws -> RawHTTP {
    let all = headers + (method == "GET" ? [] : ["Content-Length: \(body.count)"])
    return try ask(address, method, target, headers: all, framed: body, version: version)
  }

  /// The status of an answer of any length, whose body is read and thrown away.
  static func status(_ address: String, _ method: String, _ target: String) throws -> Int {
    let socket = try TestSocket(address, timeoutSeconds: 180)
    try socket.send("\(method) \(target) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n")
    let head = try socket.readLine() ?? ""
    try socket.discardToEnd()
    return head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }

  /// Sends the body in chunks of the given sizes (the last one as long as is left).
  static func askChunked(
    _ address: String, _ target: String, headers: [String] = [], body: [UInt8], chunk: Int
  ) throws -> RawHTTP {
    var framed: [UInt8] = []
    for start in stride(from: 0, to: body.count, by: chunk) {
      let piece = body[start..<min(start + chunk, body.count)]
      framed += Array(String(piece.count, radix: 16).utf8) + [13, 10] + piece + [13, 10]
    }
    framed += Array("0\r\n\r\n".utf8)
    return try ask(address, "POST", target, headers: headers + ["Transfer-Encoding: chunked"], framed: framed)
  }

  private static func ask(
    _ address: String, _ method: String, _ target: String, headers: [String], framed: [UInt8],
    version: String = "HTTP/1.1"
  ) throws -> RawHTTP {
    let socket = try TestSocket(address, timeoutSeconds: 60)
    let lines = ["\(method) \(target) \(version)", "Host: \(address)", "Connection: close"] + headers
    try socket.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + framed)
    return parse(try socket.readToEnd())
  }

  static func parse(_ bytes: [UInt8]) -> RawHTTP {
    var out = RawHTTP()
    let gap = Array("\r\n\r\n".utf8)
    guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: gap) }) else { return out }
    let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
    out.status = head.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    for line in head.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      out.headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    out.body = Array(bytes[(end + 4)...])
    if out.headers["transfer-encoding"] == "chunked" { out.joinChunks() }
    return out
  }

  /// Puts a body in chunks together.
  private mutating func joinChunks() {
    var rest = body[...]
    body = []
    isCut = true
    while let line = rest.firstIndex(of: 0x0d) {
      let size = Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16) ?? 0
      rest = rest[min(line + 2, rest.endIndex)...]
      if size == 0 { return isCut = false }
      body += rest.prefix(size)
      rest = rest.dropFirst(size + 2)
    }
  }
}

/// Percent-encodes all but letters, digits and `-._~`.
func percentEncoded(_ text: String) -> String {
  text.utf8.map { byte in
    let scalar = Character(Unicode.Scalar(byte))
    return byte < 0x80 && (scalar.isLetter || scalar.isNumber || "-._~".contains(scalar))
      ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }.joined()
}
