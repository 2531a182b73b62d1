import CCurl

/// Asks one server over HTTP/1.1, one request at a time, on a connection that is kept open. Belongs to one thread.
@safe public final class HTTPClient {
  /// "http://127.0.0.1:8086", without a slash at its end.
  public let baseURL: String
  /// Until a connection stands.
  public var connectMilliseconds = 5_000
  /// Until an answer is whole; 0: as long as it takes.
  public var timeoutMilliseconds = 0
  /// Asked some fifty times a second while an answer is awaited: whether to break off. The server then sees its client gone.
  public var isCancelled: (() -> Bool)?
  private let handle: UnsafeMutableRawPointer
  /// What waits for transfers that may be broken off, and keeps their connections; made when the first one is.
  private var multi: UnsafeMutableRawPointer?
  private var transfer = Transfer()

  /// A client of a server; nothing is connected yet.
  ///
  /// - Parameter baseURL: with or without `http://`.
  /// - Throws: `.invalid` if libcurl cannot be set up.
  public init(_ baseURL: String) throws(ClientError) {
    var url = baseURL.contains("://") ? baseURL : "http://" + baseURL
    while url.last == "/" { url.removeLast() }
    self.baseURL = url
    if let failure = unsafe CCurl_load() {
      throw ClientError(.invalid, url: url, detail: unsafe String(cString: failure))
    }
    guard let handle = unsafe curl_easy_init() else {
      throw ClientError(.invalid, url: url, detail: "libcurl cannot be set up")
    }
    unsafe self.handle = handle
  }

  deinit {
    unsafe curl_easy_cleanup(handle)
    if let multi = unsafe multi { unsafe curl_multi_cleanup(multi) }
  }

  /// The path with parameters, percent-encoded.
  public static func target(_ path: String, _ parameters: [(name: String, value: String)]) -> String {
    guard !parameters.isEmpty else { return path }
    return path + "?" + form(parameters)
  }

  /// Parameters as `a=b&c=d`, percent-encoded: of a URL, or the body of a form.
  public static func form(_ parameters: [(name: String, value: String)]) -> String {
    parameters.map { percentEncoded($0.name) + "=" + percentEncoded($0.value) }.joined(separator: "&")
  }

  /// `GET`; the answer is read whole.
  public func get(
    _ path: String, _ parameters: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = []
  ) throws(ClientError) -> HTTPResponse {
    try unsafe send(Self.target(path, parameters), body: nil, headers: headers, receive: nil)
  }

  /// `POST` of bytes; the answer is read whole.
  public func post(
    _ path: String, _ parameters: [(name: String, value: String)] = [], body: UnsafeRawBufferPointer,
    headers: [(name: String, value: String)] = []
  ) throws(ClientError) -> HTTPResponse {
    try unsafe send(Self.target(path, parameters), body: body, headers: headers, receive: nil)
  }

  /// `POST` of a form. Where `receive` is given it gets the body of a successful answer piece by piece; the body of an
  /// answer with an error status is in the response.
  public func postForm(
    _ path: String, _ parameters: [(name: String, value: String)],
    headers: [(name: String, value: String)] = [],
    receive: ((RawSpan) throws -> Void)? = nil
  ) throws(ClientError) -> HTTPResponse {
    let form = Array(Self.form(parameters).utf8)
    let all = headers + [("Content-Type", "application/x-www-form-urlencoded")]
    let result = unsafe form.withUnsafeBytes { bytes in
      Result { () throws(ClientError) in try unsafe send(path, body: bytes, headers: all, receive: receive) }
    }
    return try result.get()
  }

  // MARK: Transfer

  private func send(
    _ target: String, body: UnsafeRawBufferPointer?, headers: [(name: String, value: String)],
    receive: ((RawSpan) throws -> Void)?
  ) throws(ClientError) -> HTTPResponse {
    transfer = Transfer()
    transfer.receive = receive
    // It is the caller's for the length of the call only.
    defer { transfer.receive = nil }
    // A reset handle keeps its connections; every option is set anew.
    unsafe curl_easy_reset(handle)
    var list: UnsafeMutablePointer<curl_slist>?
    // libcurl would else wait up to a second for "100 Continue", and call every body a form.
    var lines = ["Expect:"]
    if !headers.contains(where: { $0.name == "Content-Type" }) { lines.append("Content-Type:") }
    lines += headers.map { "\($0.name): \($0.value)" }
    for line in lines { unsafe list = curl_slist_append(list, line) }
    defer { unsafe curl_slist_free_all(list) }
    unsafe setOptions(baseURL + target, body: body, headers: list)
    let context = unsafe Unmanaged.passUnretained(transfer)
    // The transfer outlives the call: `self` holds it.
    unsafe _ = CCurl_setReceive(handle, CURLOPT_WRITEFUNCTION, receiveBody)
    unsafe _ = CCurl_setPointer(handle, CURLOPT_WRITEDATA, context.toOpaque())
    unsafe _ = CCurl_setReceive(handle, CURLOPT_HEADERFUNCTION, receiveHeader)
    unsafe _ = CCurl_setPointer(handle, CURLOPT_HEADERDATA, context.toOpaque())
    let code = perform()
    if transfer.isCancelled { throw ClientError(.cancelled, url: baseURL, detail: "") }
    if transfer.failure != nil { throw ClientError(.stopped, url: baseURL, detail: "") }
    guard code == CURLE_OK else { throw failure(code) }
    return HTTPResponse(status: transfer.status, headers: transfer.headers, body: transfer.body)
  }

  /// Sends and receives; where it may be broken off, with a look every few milliseconds.
  private func perform() -> CURLcode {
    guard let isCancelled else { return unsafe curl_easy_perform(handle) }
    guard let multi = unsafe multi ?? curl_multi_init() else { return CURLE_OUT_OF_MEMORY }
    unsafe self.multi = multi
    unsafe curl_multi_add_handle(multi, handle)
    defer { unsafe curl_multi_remove_handle(multi, handle) }
    var runningCount: Int32 = 1
    while true {
      guard unsafe curl_multi_perform(multi, &runningCount) == CURLM_OK else { return CURLE_OUT_OF_MEMORY }
      if runningCount == 0 { break }
      if isCancelled() {
        transfer.isCancelled = true
        return CURLE_ABORTED_BY_CALLBACK
      }
      unsafe curl_multi_poll(multi, nil, 0, 20, nil)
    }
    var leftCount: Int32 = 0
    guard let message = unsafe curl_multi_info_read(multi, &leftCount) else { return CURLE_OK }
    return unsafe message.pointee.data.result
  }

  /// What the receiver of the last body threw, where that ended the transfer.
  public var receiverError: (any Error)? { transfer.failure }

  private func setOptions(
    _ url: String, body: UnsafeRawBufferPointer?, headers: UnsafeMutablePointer<curl_slist>?
  ) {
    unsafe _ = CCurl_setText(handle, CURLOPT_URL, url)
    unsafe _ = CCurl_setText(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    unsafe _ = CCurl_setText(handle, CURLOPT_USERAGENT, "varve")
    unsafe _ = CCurl_setList(handle, headers)
    unsafe _ = CCurl_setLong(handle, CURLOPT_NOSIGNAL, 1)
    unsafe _ = CCurl_setLong(handle, CURLOPT_TCP_NODELAY, 1)
    unsafe _ = CCurl_setLong(handle, CURLOPT_CONNECTTIMEOUT_MS, connectMilliseconds)
    unsafe _ = CCurl_setLong(handle, CURLOPT_TIMEOUT_MS, timeoutMilliseconds)
    unsafe _ = CCurl_setText(handle, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1")
    guard let body = unsafe body else { return }
    unsafe _ = CCurl_setLong(handle, CURLOPT_POST, 1)
    unsafe _ = CCurl_setOffset(handle, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
    // An empty body has no address; libcurl would then read from standard input.
    if let first = body.baseAddress {
      unsafe _ = CCurl_setPointer(handle, CURLOPT_POSTFIELDS, first)
    } else {
      unsafe _ = CCurl_setText(handle, CURLOPT_COPYPOSTFIELDS, "")
    }
  }

  private func failure(_ code: CURLcode) -> ClientError {
    let detail = unsafe String(cString: curl_easy_strerror(code))
    let kind: ClientError.Code =
      switch code {
      case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST: .unreachable
      case CURLE_OPERATION_TIMEDOUT: .timeout
      case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalid
      default: .broken
      }
    return ClientError(kind, url: baseURL, detail: detail)
  }
}

/// What is known of an answer that is arriving.
private final class Transfer {
  var status = 0
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var receive: ((RawSpan) throws -> Void)?
  var failure: (any Error)?
  var isCancelled = false

  init() {}

  /// Takes a header line; a status line begins a new answer.
  func take(header line: String) {
    if line.hasPrefix("HTTP/") {
      headers = []
      status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      return
    }
    guard let colon = line.firstIndex(of: ":") else { return }
    let value = line[line.index(after: colon)...].drop { $0 == " " }
    headers.append((line[..<colon].lowercased(), String(value)))
  }
}

/// libcurl's callback for header lines.
private func receiveHeader(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
  // libcurl hands back the context that `send` gave it, and `size * count` bytes.
  let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  let raw = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
  let line = unsafe raw.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
  transfer.take(header: unsafe String(decoding: line, as: UTF8.self))
  return size * count
}

/// libcurl's callback for the body.
private func receiveBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
  // As in `receiveHeader`.
  let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
  let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
  guard let receive = transfer.receive, (200..<300).contains(transfer.status) else {
    unsafe transfer.body.append(contentsOf: piece)
    return piece.count
  }
  do {
    try receive(unsafe piece.bytes)
    return piece.count
  } catch {
    transfer.failure = error
    return -1
  }
}

/// Percent-encodes all but unreserved characters (RFC 3986 section 2.3).
private func percentEncoded(_ text: String) -> String {
  var out: [UInt8] = []
  let digits = Array("0123456789ABCDEF".utf8)
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "~"):
      out.append(byte)
    default:
      out.append(UInt8(ascii: "%"))
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
  }
  return String(decoding: out, as: UTF8.self)
}
