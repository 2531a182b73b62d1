/// Sizes and durations as users write them.
package enum Quantity {
  /// Bytes of `128MiB`, `1GiB`, `4KiB`, `1TiB`, `12B` or `4096`; `nil` if it is none, or past 2^62.
  package static func byteCount(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    let shift: Int? =
      switch text.dropFirst(digits.count).lowercased() {
      case "", "b": 0
      case "kib": 10
      case "mib": 20
      case "gib": 30
      case "tib": 40
      default: nil
      }
    guard let shift, number <= (1 << 62) >> shift else { return nil }
    return number << shift
  }

  /// Nanoseconds of InfluxQL's durations (`90s`, `1h30m`, `1w`), 0 for `0` and `INF`; `nil` if it is none or too long.
  package static func nanoseconds(_ text: String) -> Int64? {
    if text == "0" || text.uppercased() == "INF" { return 0 }
    var (sum, rest) = (Int64(0), text[...])
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let letters = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(letters.count)
      guard let number = Int64(digits), let unit = unitNanoseconds(String(letters)) else { return nil }
      let (part, isTooLong) = number.multipliedReportingOverflow(by: unit)
      let (total, isTooMuch) = sum.addingReportingOverflow(part)
      if isTooLong || isTooMuch { return nil }
      sum = total
    }
    return text.isEmpty ? nil : sum
  }

  private static func unitNanoseconds(_ unit: String) -> Int64? {
    switch unit {
    case "ns": 1
    case "u", "us", "µ", "µs": 1_000
    case "ms": 1_000_000
    case "s": 1_000_000_000
    case "m": 60_000_000_000
    case "h": 3_600_000_000_000
    case "d": 86_400_000_000_000
    case "w": 604_800_000_000_000
    default: nil
    }
  }
}

/// The word that a mistyped one is most like, by edits (insert, delete, replace, swap); `nil` if none is near.
package func nearest(to word: String, among words: [String]) -> String? {
  let limit = max(1, word.count / 3)
  return words.map { (word: $0, distance: editDistance(Array(word.utf8), Array($0.utf8))) }
    .filter { $0.distance <= limit || (word.count >= 3 && $0.word.hasPrefix(word)) }
    .min { $0.distance < $1.distance }?.word
}

/// Optimal string alignment distance.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
  for i in 0...a.count { rows[i][0] = i }
  for j in 0...b.count { rows[0][j] = j }
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  for i in 1...a.count {
    for j in 1...b.count {
      let cost = a[i - 1] == b[j - 1] ? 0 : 1
      rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
      }
    }
  }
  return rows[a.count][b.count]
}
