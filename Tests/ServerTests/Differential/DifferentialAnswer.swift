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
    // What InfluxDB answers where a value is infinite: in place of the document, with status 200.
    if answer.text.hasPrefix(Self.noDocument) {
      error = answer.text
    } else {
      self = try JSONDecoder().decode(Self.self, from: Data(answer.body))
    }
    status = answer.status
  }

  /// How the words begin that stand in place of a document.
  static let noDocument = "json: error calling MarshalJSON"

  /// The text of its error, if there is one.
  var message: String? { error ?? results?.first?.error }

  var series: [Series] { results?.first?.series ?? [] }

  /// Without the tags and columns that another answer does not have in the same series and that say nothing here.
  func withoutForeignTags(beside other: DifferentialAnswer) -> DifferentialAnswer {
    var out = self
    guard !series.isEmpty, series.count == other.series.count else { return self }
    out.results?[0].series = zip(series, other.series).map { own, other in
      var series = own
      let tags = (own.tags ?? [:]).filter { $0.value != "" || other.tags?[$0.key] != nil }
      series.tags = tags.isEmpty ? other.tags.flatMap { $0.isEmpty ? $0 : nil } : tags
      let kept = own.columns.indices.filter { column in
        other.columns.contains(own.columns[column]) || own.values?.contains { $0[column] != .null } == true
      }
      series.columns = kept.map { own.columns[$0] }
      series.values = own.values?.map { row in kept.map { row[$0] } }
      return series
    }
    return out
  }

  /// Whether all its rows are among those that another answer has of the same series.
  func isPart(of other: DifferentialAnswer) -> Bool {
    series.allSatisfy { part in
      var rows: [String: Int] = [:]
      for whole in other.series where whole.name == part.name && whole.tags == part.tags && whole.columns == part.columns {
        for row in whole.values ?? [] { rows["\(row)", default: 0] += 1 }
      }
      return (part.values ?? []).allSatisfy { row in
        rows["\(row)", default: 0] -= 1
        return rows["\(row)", default: 0] >= 0
      }
    }
  }

  /// Whether it says the same: the same series in the same order, the same columns, equal values; floats as near as `areEqual` says.
  func isEqual(to other: DifferentialAnswer, within ulpCount: Double) -> Bool {
    guard status == other.status, error == other.error, results?.count == other.results?.count else {
      return false
    }
    return zip(results ?? [], other.results ?? []).allSatisfy { a, b in
      a.error == b.error && (a.series ?? []).count == (b.series ?? []).count
        && zip(a.series ?? [], b.series ?? []).allSatisfy { Self.areEqual($0, $1, within: ulpCount) }
    }
  }

  private static func areEqual(_ a: Series, _ b: Series, within ulpCount: Double) -> Bool {
    let (rows, others) = (a.values ?? [], b.values ?? [])
    return a.name == b.name && a.tags == b.tags && a.columns == b.columns && rows.count == others.count
      && zip(rows, others).allSatisfy { row, other in
        row.count == other.count && zip(row, other).allSatisfy { areEqual($0, $1, within: ulpCount) }
      }
  }

  /// How far floats may be apart, in units of the last place of the larger and of `scale`: one, as the order in which two numbers are
  /// added may show; more where many roundings come together, in running sums of areas and squares, or one is enlarged, in remainders,
  /// and more again where such are taken from one another.
  static func ulpCount(of statement: String) -> Double {
    // A search that ends where steps no longer matter: six digits.
    if statement.contains("holt_winters") { return 0x1p30 }
    guard ["integral(", "stddev(", " % "].contains(where: statement.contains) else {
      // Go multiplies for a power, as often as the exponent has bits.
      if statement.contains("pow(") { return 64 }
      // In a product the units of both factors come together; functions of numbers round by themselves.
      // What is filled on a line is a product and a sum.
      return [" * ", "log", "ln(", "exp(", "sin(", "cos(", "tan(", "sqrt(", "fill(linear)"].contains(where: statement.contains) ? 4 : 1
    }
    return ["(integral(", "(stddev("].contains(where: statement.contains) ? 256 : 16
  }

  /// As large as any value of the data; what lies below comes of values of this size taken from one another.
  private static let scale = 8_192.0

  /// The same value; floats within so many units. A float without fraction is written like an integer: from where the data has none
  /// so large, integers are floats.
  static func areEqual(_ a: AnsweredSeries.Value, _ b: AnsweredSeries.Value, within ulpCount: Double = 1) -> Bool {
    if a == b { return true }
    guard let x = number(a), let y = number(b) else { return false }
    if case .integer = a, case .integer = b, max(abs(x), abs(y)) < 0x1p40 { return false }
    return abs(x - y) <= ulpCount * max(x.magnitude, y.magnitude, scale).ulp
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
