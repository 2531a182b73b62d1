/// `CREATE` or `ALTER RETENTION POLICY`, and the policy of `CREATE DATABASE … WITH`.
struct PolicyStatement: Sendable, Equatable {
  /// Empty in `CREATE DATABASE` without `NAME`.
  var name = ""
  var database = ""
  /// Nanoseconds, 0 for `INF`; `nil` where not given.
  var duration: Int64?
  var replication: Int?
  /// Nanoseconds; `nil` where not given.
  var shardDuration: Int64?
  var isDefault = false

  /// The settings as InfluxQL.
  var settings: String {
    var out = ""
    if let duration { out += " DURATION \(duration == 0 ? "INF" : DurationLiteral.print(duration))" }
    if let replication { out += " REPLICATION \(replication)" }
    if let shardDuration { out += " SHARD DURATION \(DurationLiteral.print(shardDuration))" }
    return isDefault ? out + " DEFAULT" : out
  }
}
