import Storage

/// A window, as the users of InfluxDB know it.
struct WindowShard {
  var policy: PolicyDescription
  var window: Range<Int64>

  /// The number that `DROP SHARD` takes: it is made of the keyspace's and of the window's start in seconds, so that it stays what it is
  /// whatever windows come and go, and belongs to no other window ever.
  var id: Int64 {
    Int64(policy.keyspace.number) &* 100_000_000_000 &+ 10_000_000_000
      &+ TimeLiteral.floorDivide(window.lowerBound, 1_000_000_000)
  }

  /// When it expires; its end where it never does.
  var expiry: Int64 {
    let (sum, overflow) = window.upperBound.addingReportingOverflow(policy.ttl)
    return overflow ? .max : sum
  }

  /// The windows of a database that hold anything, policy after policy, ascending by time.
  static func all(of database: String, in catalog: any Catalog) throws -> [WindowShard] {
    try (catalog.policies(of: database) ?? []).flatMap { policy in
      try catalog.snapshot(of: policy.keyspace).windows.map { WindowShard(policy: policy, window: $0.range) }
    }
  }
}
