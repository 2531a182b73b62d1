import Storage

extension Regex.Failure {
  /// RE2's words, and Go's for the same, which InfluxDB's messages have.
  private static let words: [(re2: String, go: String)] = [
    ("missing ]", "missing closing ]"), ("missing )", "missing closing )"), ("unexpected )", "unexpected )"),
    ("trailing \\", "trailing backslash at end of expression"),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("invalid repetition size", "invalid repeat count"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("invalid named capture group", "invalid named capture"),
    ("invalid escape sequence", "invalid escape sequence"),
    ("invalid character class range", "invalid character class range"),
  ]

  /// What Go's `regexp` says: "missing closing ): `(`".
  var goMessage: String {
    guard let found = Self.words.first(where: { message.hasPrefix($0.re2) }) else { return message }
    let fragment = message.dropFirst(found.re2.count)
    return fragment.hasPrefix(": ") ? "\(found.go): `\(fragment.dropFirst(2))`" : found.go
  }
}
