public import LineProtocol
public import Storage

/// A bound address with its settings.
public struct ListenerConfiguration: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable { case http, tcp, udp }

  public var kind: Kind
  /// Numeric; empty is every interface.
  public var host: String
  /// 0 picks one.
  public var port: UInt16
  /// Where its lines go; the server's where `nil`.
  public var database: String?
  public var policy: String?
  public var precision: Precision?
  public var carriageReturn: CarriageReturnMode?

  public init(kind: Kind, host: String, port: UInt16) {
    self.kind = kind
    self.host = host
    self.port = port
  }

  /// Reads `127.0.0.1:8094`, `:8094` or `[::1]:8094`; `nil` if it is none.
  public init?(kind: Kind, address: String) {
    guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
      return nil
    }
    var host = String(address[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    if host == "localhost" { host = "127.0.0.1" }
    self.init(kind: kind, host: host == "*" ? "" : host, port: port)
  }
}

/// Everything that `varve serve` is told.
public struct ServerConfiguration: Sendable {
  public var dataDirectory = "./varve-data"
  public var listeners: [ListenerConfiguration] = [
    ListenerConfiguration(kind: .http, host: "127.0.0.1", port: 8086),
    ListenerConfiguration(kind: .tcp, host: "127.0.0.1", port: 8094),
    ListenerConfiguration(kind: .udp, host: "127.0.0.1", port: 8089),
  ]
  /// Where TCP and UDP write; made at start.
  public var database = "metrics"
  /// `nil`: `auto` for TCP and UDP, `ns` for HTTP.
  public var precision: Precision?
  public var carriageReturn = CarriageReturnMode.strip
  /// TTL and window length of the database that this start makes, nanoseconds; 0: for ever, and by TTL.
  public var retention: Int64 = 0
  public var windowLength: Int64 = 0
  /// Rules to be in force, in the order in which they are tried; a database that is not named keeps its own.
  public var rules: [RuleConfiguration] = []
  /// The longest line, bytes.
  public var lineByteCountMax = 1 << 20
  /// Threads that read and parse.
  public var receiverCount = 2
  /// An unfinished line or a silent connection is closed after this.
  public var idleTimeout: Duration = .seconds(600)
  /// A query is stopped after this.
  public var queryTimeout: Duration = .seconds(60)
  public var store = StoreOptions()
  /// Connections are bounded by it.
  public var openFiles = OpenFileLimit.current
  /// How far the start is; one with a handler holds it in tests.
  package var progress = ReplayProgress()

  public init() {}
}
