/// A server's answer.
public struct HTTPResponse: Sendable {
  public var status: Int
  /// In the order sent, names in lower case.
  public var headers: [(name: String, value: String)]
  /// Empty where the body was streamed.
  public var body: [UInt8]

  public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// Whether the status is 2xx.
  public var isSuccess: Bool { (200..<300).contains(status) }

  /// The first header of a name, given in lower case.
  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }
}
