import Foundation

/// What a server answered one statement.
struct DifferentialAnswer: Decodable {
  struct Series: Decodable {
    var name: String?
    var tags: [String: String]?
    var columns: [String]
    var values: [[AnsweredSeries.Value]]?
  }

  struct Result: Decodable {
    var series: [Series]?
    var error: String?
  }

  var results: [Result]?
  var error: String?
  var status = 0

  enum CodingKeys: CodingKey { case results, error }

  init(_ answer: RawHTTP) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(answer.body))
    status = answer.status
  }

  /// The text of its error, if there is one.
  var message: String? { error ?? results?.first?.error }

  var series: [Series] { results?.first?.series ?? [] }

  /// Whether it says the same: the same series in the same order, the same columns, equal values.
  func isEqual(to other: DifferentialAnswer) -> Bool {
    guard status == other.status, error == other.error, results?.count == other.results?.count else {
      return false
    }
    return zip(results ?? [], other.results ?? []).allSatisfy { a, b in
      a.error == b.error && (a.series ?? []).count == (b.series ?? []).count
        && zip(a.series ?? [], b.series ?? []).allSatisfy(Self.areEqual)
    }
  }

  static func areEqual(_ a: Series, _ b: Series) -> Bool {
    a.name == b.name && a.tags == b.tags && a.columns == b.columns && areEqual(a.values ?? [], b.values ?? [])
  }

  static func areEqual(_ a: [[AnsweredSeries.Value]], _ b: [[AnsweredSeries.Value]]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy(areEqual)
  }

  static func areEqual(_ a: [AnsweredSeries.Value], _ b: [AnsweredSeries.Value]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy(areEqual)
  }

  /// How far floats may be apart, in units of the last place of the larger and of `scale`: sums of the same values in another
  /// order, with Kahan's correction there and without here, or the reverse.
  private static let ulpCountMax = 16.0
  /// As large as any value of the data; what lies below comes of values of this size taken from one another.
  private static let scale = 8_192.0

  /// The same value; floats within `ulpCountMax`. A float without fraction is written like an integer.
  static func areEqual(_ a: AnsweredSeries.Value, _ b: AnsweredSeries.Value) -> Bool {
    if a == b { return true }
    guard let x = number(a), let y = number(b) else { return false }
    if case .integer = a, case .integer = b, max(abs(x), abs(y)) < 0x1p53 { return false }
    return abs(x - y) <= ulpCountMax * max(x.magnitude, y.magnitude, scale).ulp
  }

  private static func number(_ value: AnsweredSeries.Value) -> Double? {
    switch value {
    case .integer(let value): Double(value)
    case .unsigned(let value): Double(value)
    case .float(let value): value
    default: nil
    }
  }
}
