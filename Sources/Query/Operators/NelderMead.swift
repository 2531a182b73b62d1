/// Finds a minimum of a function of several variables without its derivative: the downhill simplex of J. A. Nelder and R. Mead, in the
/// form of M. F. Hutt, which InfluxDB's `holt_winters` uses: with the same steps from the same start the answers agree.
struct NelderMead {
  /// Steps at most.
  static let stepCountMax = 1_000
  private static let reflection = 1.0
  private static let contraction = 0.5
  private static let expansion = 2.0

  /// The spread of the values over the simplex at which it is done.
  let epsilon: Double
  /// Asked once a step; a search that is ended early answers what it has.
  let isInterrupted: () -> Bool
  /// The function; it may move a vertex, as into the bounds of its variables.
  let function: (inout [Double]) -> Double
  private var vertices: [[Double]]
  private var values: [Double]

  init(
    start: [Double], epsilon: Double, isInterrupted: @escaping () -> Bool,
    function: @escaping (inout [Double]) -> Double
  ) {
    self.epsilon = epsilon
    self.isInterrupted = isInterrupted
    self.function = function
    let count = Double(start.count)
    let near = ((count + 1).squareRoot() - 1) / (count * 2.0.squareRoot())
    let far = ((count + 1).squareRoot() - 1 + count) / (count * 2.0.squareRoot())
    vertices = [start]
    for moved in start.indices {
      vertices.append(start.indices.map { start[$0] + ($0 == moved ? far : near) })
    }
    values = []
    for index in vertices.indices {
      values.append(isInterrupted() ? .infinity : function(&vertices[index]))
    }
  }

  /// The lowest value found, and where.
  mutating func run() -> (value: Double, place: [Double]) {
    var stepCount = 0
    while stepCount < Self.stepCountMax, !isInterrupted() {
      stepCount += 1
      step()
      if spread < epsilon { break }
    }
    let best = lowest
    let place = vertices[best]
    return (function(&vertices[best]), place)
  }

  private var lowest: Int {
    values.indices.dropFirst().reduce(0) { values[$1] < values[$0] ? $1 : $0 }
  }

  /// The standard deviation of the values.
  private var spread: Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / Double(values.count - 1) }.squareRoot()
  }

  private mutating func step() {
    let best = lowest
    let worst = values.indices.dropFirst().reduce(0) { values[$1] > values[$0] ? $1 : $0 }
    let second = values.indices.reduce(best) {
      values[$1] > values[$0] && values[$1] < values[worst] ? $1 : $0
    }
    let middle = centroid(without: worst)
    var reflected = Self.mixed(middle, vertices[worst]) { $0 + Self.reflection * ($0 - $1) }
    let value = function(&reflected)
    if value < values[second], value >= values[best] { replace(worst, by: reflected, value) }
    if value < values[best] {
      var expanded = Self.mixed(middle, reflected) { $0 + Self.expansion * ($1 - $0) }
      let further = function(&expanded)
      if further < value {
        replace(worst, by: expanded, further)
      } else {
        replace(worst, by: reflected, value)
      }
    }
    // Asked of the simplex as it now is, as there.
    guard value >= values[second] else { return }
    var contracted =
      value < values[worst]
      ? Self.mixed(middle, reflected) { $0 + Self.contraction * ($1 - $0) }
      : Self.mixed(middle, vertices[worst]) { $0 - Self.contraction * ($0 - $1) }
    let nearer = function(&contracted)
    if nearer < values[worst] { return replace(worst, by: contracted, nearer) }
    shrink(towards: best)
    values[worst] = function(&vertices[worst])
    values[second] = function(&vertices[second])
  }

  private func centroid(without worst: Int) -> [Double] {
    vertices[0].indices.map { place in
      var sum = 0.0
      for index in vertices.indices where index != worst { sum += vertices[index][place] }
      return sum / Double(vertices.count - 1)
    }
  }

  private mutating func shrink(towards best: Int) {
    for index in vertices.indices where index != best {
      vertices[index] = Self.mixed(vertices[best], vertices[index]) { $0 + ($1 - $0) / 2 }
    }
  }

  private mutating func replace(_ index: Int, by vertex: [Double], _ value: Double) {
    vertices[index] = vertex
    values[index] = value
  }

  private static func mixed(_ a: [Double], _ b: [Double], _ mix: (Double, Double) -> Double) -> [Double] {
    a.indices.map { mix(a[$0], b[$0]) }
  }
}
