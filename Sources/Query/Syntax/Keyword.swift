/// The reserved words of InfluxQL: identifiers of these spellings must be quoted.
enum Keyword: String, Sendable, CaseIterable {
  case all, alter, analyze, any, `as`, asc, begin, by, cardinality, continuous, create, database, databases
  case `default`, delete, desc, destinations, diagnostics, distinct, drop, duration, end, every, exact,
    explain
  case field, `for`, from, grant, grants, group, groups, `in`, inf, insert, into, key, keys, kill, limit
  case measurement, measurements, name, offset, on, order, password, policies, policy, privileges, queries,
    query
  case read, replication, resample, retention, revoke, select, series, set, shard, shards, show, slimit,
    soffset
  case stats, subscription, subscriptions, tag, to, user, users, values, verbose, `where`, with, write
  case and, or, `true`, `false`

  /// The word as messages and printed statements show it.
  var text: String { rawValue.uppercased() }

  /// The keyword a bare word spells, in any case.
  init?(bytes: some Collection<UInt8>) {
    guard bytes.count <= 13 else { return nil }
    self.init(
      rawValue: String(decoding: bytes.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self))
  }
}
