import Query
import Storage
import TestSupport
import Testing

/// The functions of technical analysis beside values that others have computed.
@Suite("Indicators")
struct IndicatorTests {
  /// Up to 15 and down again.
  private static let hill = (1...15).map(Double.init) + (1...14).reversed().map(Double.init)

  private static func run(_ text: String, _ values: [Double]) throws -> StatementResult {
    let lines = values.enumerated().map { "m v=\($1),i=\(Int($1))i \($0 + 1)" }.joined(separator: "\n")
    let catalog = FakeCatalog("d", Snapshot.ofPoints([modelPoints(lines)], windowLength: 1 << 40))
    var results: [StatementResult] = []
    try QueryEngine(catalog: catalog).run(QueryRequest(text: text, database: "d", now: 0)) { results.append($0) }
    return results[0]
  }

  private static func values(_ call: String, _ values: [Double] = hill) throws -> [Double] {
    let result = try run("SELECT \(call) FROM m", values)
    #expect(result.error == nil, "\(result.error ?? "")")
    return result.series.first?.columns.first?.values.map { Double(bitPattern: $0) } ?? []
  }

  private static func areClose(_ found: [Double], _ wanted: [Double]) -> Bool {
    found.count == wanted.count && zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-7 }
  }

  @Test(
    "values are those of TA-Lib, as InfluxDB's own tests have them",
    arguments: [
      (
        "kaufmans_adaptive_moving_average(v, 10)",
        [
          10.444444444444445, 11.135802469135802, 11.964334705075446, 12.869074836153025, 13.81615268675168,
          13.871008014588556, 13.71308456353558, 13.553331356741122, 13.46599437575161, 13.4515677602438,
          13.29930139347417, 12.805116570729284, 11.752584300922967, 10.036160535131103, 7.797866963961725,
          6.109926091089847, 4.727736717272138, 3.5154092873734104, 2.3974496040963396,
        ]
      ),
      (
        "relative_strength_index(v, 10, -1, 'simple')",
        [
          100, 100, 100, 100, 100, 90, 81, 72.89999999999999, 65.61, 59.04899999999999, 53.144099999999995, 47.82969,
          43.04672099999999, 38.74204889999999, 34.86784400999999, 31.381059608999994, 28.242953648099995,
          25.418658283289997, 22.876792454961,
        ]
      ),
      (
        "triple_exponential_derivative(v, 4, -1, 'simple')",
        [
          18.181818181818187, 15.384615384615374, 13.33333333333333, 11.764705882352944, 10.526315789473696,
          8.304761904761904, 5.641927541329594, 3.0392222148232007, 0.7160675740302658, -1.2848911076603242,
          -2.9999661985600667, -4.493448741755901, -5.836238000516913, -7.099092024379772, -8.352897627933453,
          -9.673028502435233, -11.147601363985949, -12.891818138458877, -15.074463280730022,
        ]
      ),
      (
        "chande_momentum_oscillator(v, 10, 10)",
        [100, 100, 100, 100, 100, 80, 60, 40, 20, 0, -20, -40, -60, -80, -100, -100, -100, -100, -100]
      ),
      (
        "chande_momentum_oscillator(v, 10, -1, 'simple')",
        [
          100, 100, 100, 100, 100, 80, 61.999999999999986, 45.79999999999999, 31.22, 18.097999999999992,
          6.288199999999988, -4.340620000000012, -13.906558000000008, -22.515902200000014, -30.264311980000013,
          -37.23788078200001, -43.51409270380002, -49.16268343342002, -54.24641509007802,
        ]
      ),
    ])
  func known(call: String, wanted: [Double]) throws {
    let found = try Self.values(call)
    #expect(Self.areClose(found, wanted), "\(call): \(found)")
    // Whole numbers are taken as floats.
    let integers = try Self.values(call.replacing("(v,", with: "(i,"))
    #expect(integers == found)
  }

  @Test("the efficiency ratio is the way gone forth by the way gone")
  func efficiency() throws {
    #expect(
      Self.areClose(try Self.values("kaufmans_efficiency_ratio(v, 3)", [20, 21, 22, 23, 22, 21]), [1, 1.0 / 3, 1.0 / 3]))
  }

  @Test("exponential averages begin with the mean where that is asked, and give the newest value its weight then")
  func averages() throws {
    // By hand: the mean of the first three, then half of each newer value.
    #expect(
      Self.areClose(
        try Self.values("exponential_moving_average(v, 3, -1, 'simple')", [1, 2, 6, 9, 3]), [3, 6, 4.5]))
    // With weights of 2/2, 2/3, 2/4 at first.
    #expect(
      Self.areClose(
        try Self.values("exponential_moving_average(v, 3, 0)", [1, 4, 6, 2]),
        [1, 1 + 3 * 2.0 / 3, 3 + 3 * 2.0 / 4, 4.5 - 2.5 / 2]))
    // Of a straight line the lag is taken out once both averages follow it.
    let line = (0..<400).map(Double.init)
    for name in ["double", "triple"] {
      let found = try Self.values("\(name)_exponential_moving_average(v, 5, 390, 'simple')", line)
      #expect(found.count == 10 && zip(found, line.suffix(10)).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found)")
    }
  }

  @Test(
    "nothing is answered until an answer is worth something, or for as many values as is said",
    arguments: [
      ("exponential_moving_average(v, 4)", 3), ("exponential_moving_average(v, 4, 7)", 7),
      ("exponential_moving_average(v, 4, 0, 'simple')", 0), ("double_exponential_moving_average(v, 4)", 3),
      ("double_exponential_moving_average(v, 4, -1, 'simple')", 6), ("triple_exponential_moving_average(v, 4)", 3),
      ("triple_exponential_moving_average(v, 4, -1, 'simple')", 9), ("triple_exponential_derivative(v, 4)", 4),
      ("triple_exponential_derivative(v, 4, -1, 'simple')", 10), ("relative_strength_index(v, 4)", 4),
      ("kaufmans_efficiency_ratio(v, 4)", 4), ("kaufmans_adaptive_moving_average(v, 4, 2)", 2),
      ("chande_momentum_oscillator(v, 4)", 3), ("chande_momentum_oscillator(v, 4, -1, 'exponential')", 4),
      ("chande_momentum_oscillator(v, 4, 29)", 29),
    ])
  func hold(call: String, count: Int) throws {
    let result = try Self.run("SELECT \(call) FROM m", Self.hill)
    #expect(result.error == nil)
    #expect((result.series.first?.rowCount ?? 0) == 29 - count)
    #expect(count == 29 || result.series.first?.timestamps?.first == Int64(count + 1))
  }

  @Test("of an aggregate they are taken by time bucket")
  func nested() throws {
    let text =
      "SELECT exponential_moving_average(sum(v), 2, 0, 'simple') FROM m WHERE time >= 2 AND time < 8 GROUP BY time(2ns)"
    let series = try #require(try Self.run(text, (1...9).map(Double.init)).series.first)
    // The bucket before is read too, as by the other transformations.
    #expect(series.timestamps == [0, 2, 4, 6].filter { $0 >= 2 } || series.timestamps == [0, 2, 4, 6])
    #expect(series.columns[0].values.last.map { Double(bitPattern: $0) }.map { $0 > 9 && $0 < 13 } == true)
  }

  @Test(
    "wrong arguments are refused in InfluxDB's words",
    arguments: [
      (
        "exponential_moving_average(v)",
        "invalid number of arguments for exponential_moving_average, expected at least 2 but no more than 4, got 1"
      ),
      ("exponential_moving_average(v, 1.5)", "exponential_moving_average period must be an integer"),
      ("relative_strength_index(v, 0)", "relative_strength_index period must be greater than or equal to 1"),
      ("relative_strength_index(v, 2, 'a')", "relative_strength_index hold period must be an integer"),
      ("relative_strength_index(v, 2, -2)", "relative_strength_index hold period must be greater than or equal to 0"),
      (
        "triple_exponential_derivative(v, 2, 0)",
        "triple_exponential_derivative hold period must be greater than or equal to 1"
      ),
      (
        "double_exponential_moving_average(v, 2, 1, 'none')",
        "double_exponential_moving_average warmup type must be one of: 'exponential' 'simple'"
      ),
      ("double_exponential_moving_average(v, 2, 1, 3)", "double_exponential_moving_average warmup type must be a string"),
      (
        "kaufmans_efficiency_ratio(v, 2, 1, 'simple')",
        "invalid number of arguments for kaufmans_efficiency_ratio, expected at least 2 but no more than 3, got 4"
      ),
      (
        "chande_momentum_oscillator(v, 2, 1, 'other')",
        "chande_momentum_oscillator warmup type must be one of: 'none' 'exponential' 'simple'"
      ),
      ("chande_momentum_oscillator(v, 1)", "chande_momentum_oscillator period must be greater than or equal to 2 without warmup"),
      ("relative_strength_index(mean(v), 2)", "relative_strength_index aggregate requires a GROUP BY interval"),
      ("exponential_moving_average(v, 99999999)", "exponential_moving_average takes periods of at most 1048576 values"),
    ])
  func wrong(call: String, message: String) throws {
    #expect(try Self.run("SELECT \(call) FROM m", Self.hill).error == message)
  }
}
