public import Storage

/// A rule as an operator writes it: `[DATABASE:]MEASUREMENT[{TAG=VALUE}]=>POLICY[=TTL]`.
public struct RuleConfiguration: Sendable, Equatable {
  /// `nil`: the server's.
  public var database: String?
  /// `nil` takes all rules of the database away.
  public var rule: PolicyRule?
  /// Nanoseconds, of a policy that this start makes; `nil` where the policy must be there.
  public var ttl: Int64?

  /// Reads it; `nil` if it is none. `ttl` reads a duration.
  public init?(_ text: String, ttl readTTL: (String) -> Int64?) {
    if text.hasSuffix(":"), !text.dropLast().isEmpty, !text.contains("=>") {
      database = String(text.dropLast())
      return
    }
    guard let arrow = text.firstRange(of: "=>") else { return nil }
    var series = text[..<arrow.lowerBound]
    if let colon = series.firstIndex(of: ":") {
      database = String(series[..<colon])
      series = series[series.index(after: colon)...]
    }
    let target = text[arrow.upperBound...].split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let tagged = series.split(separator: "{", maxSplits: 1, omittingEmptySubsequences: false)
    guard let policy = target.first, !policy.isEmpty, let measurement = tagged.first, !measurement.isEmpty,
      database != ""
    else { return nil }
    var made = PolicyRule(measurement: String(measurement), policy: String(policy))
    if tagged.count == 2 {
      let pair = tagged[1].dropLast().split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard tagged[1].hasSuffix("}"), pair.count == 2, !pair[0].isEmpty else { return nil }
      (made.tagKey, made.tagValue) = (String(pair[0]), String(pair[1]))
    }
    rule = made
    if target.count == 2 {
      guard let read = readTTL(String(target[1])) else { return nil }
      ttl = read
    }
  }
}
