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
  ///
  /// Compares numbers and makes no string: texts of a million words ask for each.
  init?(bytes: some Collection<UInt8>) {
    guard bytes.count < Self.byLength.count, let letters = Self.letters(bytes) else { return nil }
    guard let found = Self.byLength[bytes.count].first(where: { $0.letters == letters }) else { return nil }
    self = found.word
  }

  /// Up to 16 letters, small or large, as a number; `nil` where one is no letter.
  private static func letters(_ bytes: some Collection<UInt8>) -> UInt128? {
    var (low, high): (UInt64, UInt64) = (0, 0)
    for byte in bytes {
      guard Lexer.isLetter(byte) else { return nil }
      high = high << 8 | low >> 56
      low = low << 8 | UInt64(byte | 0x20)
    }
    return UInt128(high) << 64 | UInt128(low)
  }

  /// The words of each number of letters, none of more than 16.
  private static let byLength: [[(letters: UInt128, word: Keyword)]] = {
    var found: [[(letters: UInt128, word: Keyword)]] = []
    for word in allCases {
      let bytes = word.rawValue.utf8
      while found.count <= bytes.count { found.append([]) }
      if let letters = letters(bytes) { found[bytes.count].append((letters, word)) }
    }
    return found
  }()
}
