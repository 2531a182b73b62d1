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
  /// Compares bytes and makes no string: texts of a million words ask for each.
  init?(bytes: some Collection<UInt8>) {
    guard let first = bytes.first, Lexer.isLetter(first), bytes.count < Self.byLength.count else { return nil }
    let found = Self.byLength[bytes.count].first { $0.bytes.elementsEqual(bytes, by: Self.areEqual) }
    guard let found else { return nil }
    self = found.word
  }

  /// Whether a byte is a small letter or the same one large.
  private static func areEqual(_ letter: UInt8, _ byte: UInt8) -> Bool {
    byte == letter || Lexer.isLetter(byte) && byte | 0x20 == letter
  }

  /// The words of each number of letters.
  private static let byLength: [[(bytes: [UInt8], word: Keyword)]] = {
    var found: [[(bytes: [UInt8], word: Keyword)]] = []
    for word in allCases {
      let bytes = Array(word.rawValue.utf8)
      while found.count <= bytes.count { found.append([]) }
      found[bytes.count].append((bytes, word))
    }
    return found
  }()
}
