import Storage

/// `GROUP BY`: time and tags.
struct Grouping {
  /// Nanoseconds of a time bucket; 0: none. Of months, a bound of their length.
  var interval: Int64 = 0
  /// Of a bucket of whole months; 0: all buckets are of one length.
  private(set) var monthCount: Int64 = 0
  /// Nanoseconds by which buckets are moved.
  var offset: Int64 = 0
  /// Whether the buckets are those of the statement around a subquery: rows need none then.
  var isIntervalInherited = false
  /// Tag keys, sorted; wildcards and regular expressions are resolved.
  private(set) var tagKeys: [[UInt8]] = []
  /// Where each tag of an answer lies among `tagKeys`: answers name them in the order asked.
  private(set) var askedOrder: [Int] = []

  init() {}

  /// - Parameter knownTags: every tag key of the sources, sorted.
  init(_ dimensions: [Expression], knownTags: [[UInt8]], times: TimeExpression) throws(QueryFailure) {
    var keys: [[UInt8]] = []
    for dimension in dimensions {
      switch dimension.bare {
      case .reference(let name, let cast):
        guard cast == nil || cast == .tag else { throw QueryFailure("only time and tag dimensions allowed") }
        keys.append(Array(name.utf8))
      case .wildcard: keys += knownTags
      case .regex(let pattern):
        let regex: Regex
        do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
        keys += knownTags.filter { regex.matches($0) }
      case .call("time", let arguments): try takeTime(arguments, times)
      case .call: throw QueryFailure("only time() calls allowed in dimensions")
      default: throw QueryFailure("only time and tag dimensions allowed")
      }
    }
    take(keys)
  }

  /// Whether buckets are months, of which no two need be of one length.
  var isCalendar: Bool { monthCount > 0 }

  /// The buckets of months in a zone; `nil` where buckets are of one length.
  func calendar(in zone: TimeZoneRules) -> MonthCalendar? {
    isCalendar ? MonthCalendar(monthCount: monthCount, offset: offset, zone: zone) : nil
  }

  /// Groups by tags besides those that it groups by.
  mutating func add(_ keys: [[UInt8]]) { take(askedOrder.map { tagKeys[$0] } + keys) }

  /// - Parameter keys: in the order asked; one may stand more than once.
  private mutating func take(_ keys: [[UInt8]]) {
    tagKeys = Set(keys).sorted { $0.lexicographicallyPrecedes($1) }
    let places = Dictionary(uniqueKeysWithValues: tagKeys.enumerated().map { ($1, $0) })
    var seen = Set<Int>()
    askedOrder = keys.compactMap { places[$0] }.filter { seen.insert($0).inserted }
  }

  private mutating func takeTime(_ arguments: [Expression], _ times: TimeExpression) throws(QueryFailure) {
    guard interval == 0 else { throw QueryFailure("multiple time dimensions not allowed") }
    guard (1...2).contains(arguments.count) else {
      throw QueryFailure("time dimension expected 1 or 2 arguments")
    }
    switch arguments[0].bare {
    case .duration(let length) where length >= 0: interval = length
    case .months(let count) where count > 0 && count <= MonthCalendar.monthCountMax:
      monthCount = count
      interval = MonthCalendar.bound(monthCount: count)
    default: throw QueryFailure("time dimension must have duration argument")
    }
    // `time(0s)` is none.
    guard arguments.count == 2, interval > 0 else { return }
    let length = interval
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
