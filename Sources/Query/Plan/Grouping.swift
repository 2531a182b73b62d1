import Storage

/// `GROUP BY`: time and tags.
struct Grouping {
  /// Nanoseconds of a time bucket; 0: none.
  var interval: Int64 = 0
  /// Nanoseconds by which buckets are moved.
  var offset: Int64 = 0
  /// Tag keys, sorted; wildcards and regular expressions are resolved.
  var tagKeys: [[UInt8]] = []

  init() {}

  /// - Parameter knownTags: every tag key of the sources, sorted.
  init(_ dimensions: [Expression], knownTags: [[UInt8]], times: TimeExpression) throws(QueryFailure) {
    var keys = Set<[UInt8]>()
    for dimension in dimensions {
      switch dimension.bare {
      case .reference(let name, let cast):
        guard cast == nil || cast == .tag else { throw QueryFailure("only time and tag dimensions allowed") }
        keys.insert(Array(name.utf8))
      case .wildcard: keys.formUnion(knownTags)
      case .regex(let pattern):
        let regex: Regex
        do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
        keys.formUnion(knownTags.filter { regex.matches($0) })
      case .call("time", let arguments): try takeTime(arguments, times)
      case .call: throw QueryFailure("only time() calls allowed in dimensions")
      default: throw QueryFailure("only time and tag dimensions allowed")
      }
    }
    tagKeys = keys.sorted { $0.lexicographicallyPrecedes($1) }
  }

  private mutating func takeTime(_ arguments: [Expression], _ times: TimeExpression) throws(QueryFailure) {
    guard interval == 0 else { throw QueryFailure("multiple time dimensions not allowed") }
    guard (1...2).contains(arguments.count) else {
      throw QueryFailure("time dimension expected 1 or 2 arguments")
    }
    guard case .duration(let length) = arguments[0].bare, length > 0 else {
      throw QueryFailure("time dimension must have duration argument")
    }
    interval = length
    guard arguments.count == 2 else { return }
    switch arguments[1].bare {
    case .duration(let shift): offset = shift % length
    case .call("now", _), .string, .binary:
      guard let time = try times.time(arguments[1]) else {
        throw QueryFailure("time dimension offset must be duration or now()")
      }
      offset = time % length
    default: throw QueryFailure("time dimension offset must be duration or now()")
    }
  }
}
