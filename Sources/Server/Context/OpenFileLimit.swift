import Glibc

/// How many files and sockets the process may hold open, and what of that connections get: a quarter over TCP, a quarter over HTTP. The
/// rest is for tables, which are all kept open, and for the log.
public struct OpenFileLimit: Sendable, Equatable {
  /// With fewer, connections get less than they have by default, and tables less than a large store wants.
  public static let countEnough = 16_384
  /// Connections that a listener has at least.
  static let connectionCountMin = 16

  /// Files and sockets together.
  public var count: Int

  /// A limit that is known.
  public init(count: Int) { self.count = count }

  /// What is in force.
  public static var current: OpenFileLimit { OpenFileLimit(limit()) }

  /// Raises the soft limit to the hard one, which needs no rights: many systems start programs with 1,024.
  public static func raised() -> OpenFileLimit {
    var limit = limit()
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      // Refused, the old limit stands: what is in force is asked again.
      _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return current
  }

  private init(_ limit: rlimit) { count = Int(clamping: limit.rlim_cur) }

  private static func limit() -> rlimit {
    var limit = rlimit()
    // It fails for wrong arguments only.
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return limit
  }

  /// Connections of one of `listenerCount` listeners of a kind, at most `most`.
  func connectionCount(most: Int, listenerCount: Int) -> Int {
    max(min(most, count / 4 / max(listenerCount, 1)), Self.connectionCountMin)
  }
}
