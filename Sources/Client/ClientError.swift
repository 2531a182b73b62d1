/// Why a request brought no answer. An answer with an error status is an answer, not one of these.
public struct ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the caller can do.
  public enum Code: Sendable, Equatable {
    /// Nothing listens there.
    case unreachable
    /// It took too long.
    case timeout
    /// The connection broke before the answer was whole.
    case broken
    /// The URL or the request makes no sense.
    case invalid
    /// The receiver of the body threw.
    case stopped
    /// It was broken off.
    case cancelled
  }
  public var code: Code
  /// Where the request went.
  public var url: String
  /// libcurl's words.
  public var detail: String

  public init(_ code: Code, url: String, detail: String) {
    self.code = code
    self.url = url
    self.detail = detail
  }

  public var description: String {
    switch code {
    case .unreachable: "no server answers at \(url): \(detail)"
    case .timeout: "\(url) did not answer in time: \(detail)"
    case .broken: "the connection to \(url) broke: \(detail)"
    case .invalid: "cannot ask \(url): \(detail)"
    case .cancelled: "broken off while \(url) was answering"
    case .stopped: "stopped while \(url) was answering"
    }
  }
}
