import Storage

/// The statements of texts that were asked before: a client that asks the same again, as a dashboard does with `now()` in each of its
/// panels, has its text parsed once.
///
/// A text has one place, by its hash; another of that place takes it. Safe from several threads.
final class ParsedTexts: Sendable {
  /// Texts that are remembered.
  static let placeCount = 64
  /// Bytes of a text that is: what is parsed of it takes some sixty times as much at most.
  static let byteCountMax = 1_024

  private struct Entry {
    var text: String
    var statements: [Statement]
  }
  private let entries = Lock([Entry?](repeating: nil, count: placeCount))

  /// The statements of a text.
  func statements(of text: String, parameters: [String: String]) throws(QueryParseError) -> [Statement] {
    guard parameters.isEmpty, text.utf8.count <= Self.byteCountMax else { return try Parser.parse(text, parameters: parameters) }
    let place = Self.place(of: text)
    if let known = entries.withLock({ $0[place] }), known.text == text { return known.statements }
    let statements = try Parser.parse(text)
    entries.withLock { $0[place] = Entry(text: text, statements: statements) }
    return statements
  }

  /// Texts that are remembered now.
  var count: Int { entries.withLock { $0.count { $0 != nil } } }

  private static func place(of text: String) -> Int {
    var hash: UInt64 = 0
    // Of the digits of times and numbers, too, each counts.
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x9e37_79b9_7f4a_7c15 }
    return Int(truncatingIfNeeded: hash >> 32) & (placeCount - 1)
  }
}
