import LineProtocol

/// The order of a type's words.
enum WordOrder {
  case float, integer, unsigned

  init(_ type: FieldType) {
    switch type {
    case .float: self = .float
    case .integer: self = .integer
    case .unsigned, .boolean, .string: self = .unsigned
    }
  }

  /// Whether `a` is below `b`; −0 is below 0. NaN lies outside the order: see `lower`.
  @inline(__always)
  func precedes(_ a: UInt64, _ b: UInt64) -> Bool {
    switch self {
    case .float: Self.key(a) < Self.key(b)
    case .integer: Int64(bitPattern: a) < Int64(bitPattern: b)
    case .unsigned: a < b
    }
  }

  /// The lower of two, NaN only if both are.
  @inline(__always)
  func lower(_ a: UInt64, _ b: UInt64) -> UInt64 {
    if self == .float, Double(bitPattern: a).isNaN { return b }
    if self == .float, Double(bitPattern: b).isNaN { return a }
    return precedes(b, a) ? b : a
  }

  /// The higher of two, NaN only if both are.
  @inline(__always)
  func higher(_ a: UInt64, _ b: UInt64) -> UInt64 {
    if self == .float, Double(bitPattern: a).isNaN { return b }
    if self == .float, Double(bitPattern: b).isNaN { return a }
    return precedes(a, b) ? b : a
  }

  /// Puts a value in the place of a higher one, or of an equal one that is later.
  @inline(__always)
  func keepLower(_ value: TimedWord, in held: inout TimedWord, isFirst: Bool) {
    if isFirst || isBetter(value, held, lower(held.word, value.word)) { held = value }
  }

  /// Puts a value in the place of a lower one, or of an equal one that is later.
  @inline(__always)
  func keepHigher(_ value: TimedWord, in held: inout TimedWord, isFirst: Bool) {
    if isFirst || isBetter(value, held, higher(held.word, value.word)) { held = value }
  }

  @inline(__always)
  private func isBetter(_ value: TimedWord, _ held: TimedWord, _ chosen: UInt64) -> Bool {
    chosen != held.word || held.word == value.word && value.timestamp < held.timestamp
  }

  /// A float's bits as an integer of the same order.
  @inline(__always)
  private static func key(_ word: UInt64) -> Int64 {
    let bits = Int64(bitPattern: word)
    return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
  }
}
