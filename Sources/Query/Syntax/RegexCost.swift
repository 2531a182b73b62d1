/// What it takes to compile a regular expression, before that is begun: its bytes, and more for what becomes large.
///
/// A class of characters becomes some ten ranges of UTF-8 bytes, what is repeated is written out so many times, and each expression has its
/// own beginning. Measured: 0.1 µs for each of its units, so that 256 Ki take 25 ms.
struct RegexCost {
  private static let begun = 256
  private static let ofClass = 32
  /// Bytes of one that is nothing but text.
  private static let byteCountMax = 256 << 10
  /// What those of one text may cost together.
  static let max = byteCountMax + begun

  let byteCount: Int
  private(set) var value = begun

  init(of pattern: String) {
    var bytes = Array(pattern.utf8)[...]
    byteCount = bytes.count
    value += bytes.count
    // What the last atom costs, which a repetition writes out, and where groups began.
    var (atom, groups, isInClass) = (1, [Int](), false)
    while let byte = bytes.popFirst() {
      switch byte {
      case UInt8(ascii: "\\"):
        guard let escaped = bytes.popFirst() else { break }
        atom = "dDwWsSpPBbC".utf8.contains(escaped) ? Self.ofClass : 1
        value += atom - 1
        // The class's name is no atom.
        if escaped | 0x20 == UInt8(ascii: "p") {
          bytes = bytes.first == UInt8(ascii: "{") ? bytes.drop { $0 != UInt8(ascii: "}") }.dropFirst() : bytes.dropFirst()
        }
      case UInt8(ascii: "]"):
        if isInClass { atom = Self.ofClass }
        isInClass = false
      case UInt8(ascii: "[") where !isInClass:
        isInClass = true
        value += Self.ofClass
      case UInt8(ascii: ".") where !isInClass:
        atom = Self.ofClass / 4
        value += atom
      case UInt8(ascii: "(") where !isInClass: groups.append(value)
      case UInt8(ascii: ")") where !isInClass: atom = value - (groups.popLast() ?? value)
      case UInt8(ascii: "{") where !isInClass: value += min(Swift.max(atom, 1), Self.max) * Self.repetition(bytes)
      default: atom = 1
      }
    }
  }

  /// The larger number of `n}`, `n,}` or `n,m}`, at most what the library takes; 0 where it is none.
  private static func repetition(_ bytes: ArraySlice<UInt8>) -> Int {
    let inner = bytes.prefix(12).prefix { $0 != UInt8(ascii: "}") }
    return inner.split(separator: UInt8(ascii: ",")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }.max().map { min($0, 1_000) } ?? 0
  }

  /// The message for a text whose expressions cost `sum` with this one.
  func refusal(of sum: Int) -> String {
    byteCount > Self.byteCountMax
      ? "regular expression of \(byteCount) bytes, at most \(Self.byteCountMax) are taken"
      : "regular expressions too large: their bytes, classes and repetitions count \(sum), at most \(Self.max) are taken"
  }
}
