import Glibc
import LineProtocol
import Storage

/// Computes expressions over columns, a batch at a time: one loop an operation, none a row that asks what to do.
///
/// Semantics are InfluxDB's: a missing operand gives none; integers stay integers but in a division; what is divided by
/// zero is zero; text and truth values have no arithmetic.
struct ValueEvaluator {
  let timestamps: [Int64]
  let columns: [Column]
  let count: Int

  init(timestamps: [Int64], columns: [Column]) {
    self.timestamps = timestamps
    self.columns = columns
    count = timestamps.count
  }

  func evaluate(_ expression: ValueExpression) -> Column {
    switch expression {
    case .slot(let index): return columns[index]
    case .time:
      var column = Column.absent(.integer)
      column.values = timestamps.map { UInt64(bitPattern: $0) }
      column.presentCount = count
      return column
    case .literal(let literal): return .constant(literal, count: count)
    case .arithmetic(let sign, let left, let right):
      return arithmetic(sign, evaluate(left), evaluate(right))
    case .math(let function, let arguments): return math(function, arguments.map(evaluate))
    }
  }

  // MARK: Arithmetic

  private func arithmetic(_ sign: Operator, _ a: Column, _ b: Column) -> Column {
    let (x, y) = (a.key.type, b.key.type)
    guard a.presentCount > 0, b.presentCount > 0 else { return .absent(Self.answerType(sign, x, y)) }
    if x == .boolean, y == .boolean { return booleans(sign, a, b) }
    guard x <= .unsigned, y <= .unsigned else { return .absent(.float) }
    switch Self.answerType(sign, x, y) {
    case .float: return floats(sign, a, b)
    case .unsigned: return unsigned(sign, a, b)
    default: return integers(sign, a, b)
    }
  }

  private static func answerType(_ sign: Operator, _ x: FieldType, _ y: FieldType) -> FieldType {
    if x == .boolean, y == .boolean { return .boolean }
    if x == .float || y == .float || sign == .divide { return .float }
    return x == .unsigned && y == .unsigned ? .unsigned : .integer
  }

  private func floats(_ sign: Operator, _ a: Column, _ b: Column) -> Column {
    let (x, y) = (Self.doubles(a), Self.doubles(b))
    return switch sign {
    case .add: combine(a, b, x, y, .float) { ($0 + $1).bitPattern }
    case .subtract: combine(a, b, x, y, .float) { ($0 - $1).bitPattern }
    case .multiply: combine(a, b, x, y, .float) { ($0 * $1).bitPattern }
    case .divide: combine(a, b, x, y, .float) { $1 == 0 ? 0 : ($0 / $1).bitPattern }
    case .modulo: combine(a, b, x, y, .float) { $0.truncatingRemainder(dividingBy: $1).bitPattern }
    default: .absent(.float)
    }
  }

  private func integers(_ sign: Operator, _ a: Column, _ b: Column) -> Column {
    let (x, y) = (a.values, b.values)
    return switch sign {
    case .add: combine(a, b, x, y, .integer) { $0 &+ $1 }
    case .subtract: combine(a, b, x, y, .integer) { $0 &- $1 }
    case .multiply: combine(a, b, x, y, .integer) { $0 &* $1 }
    case .modulo:
      combine(a, b, x, y, .integer) { left, right in
        let (left, right) = (Int64(bitPattern: left), Int64(bitPattern: right))
        return right == 0 || right == -1 ? 0 : UInt64(bitPattern: left % right)
      }
    case .bitAnd: combine(a, b, x, y, .integer) { $0 & $1 }
    case .bitOr: combine(a, b, x, y, .integer) { $0 | $1 }
    case .bitXor: combine(a, b, x, y, .integer) { $0 ^ $1 }
    default: .absent(.integer)
    }
  }

  private func unsigned(_ sign: Operator, _ a: Column, _ b: Column) -> Column {
    guard sign == .modulo else {
      var answer = integers(sign, a, b)
      answer.key.type = .unsigned
      return answer
    }
    return combine(a, b, a.values, b.values, .unsigned) { $1 == 0 ? 0 : $0 % $1 }
  }

  private func booleans(_ sign: Operator, _ a: Column, _ b: Column) -> Column {
    switch sign {
    case .bitAnd: combine(a, b, a.values, b.values, .boolean) { $0 & $1 }
    case .bitOr: combine(a, b, a.values, b.values, .boolean) { $0 | $1 }
    case .bitXor: combine(a, b, a.values, b.values, .boolean) { $0 ^ $1 }
    default: .absent(.boolean)
    }
  }

  /// One loop over two columns; `body` is inlined, so that each call of this is a loop of its own.
  @inline(__always)
  private func combine<Value>(
    _ a: Column, _ b: Column, _ x: [Value], _ y: [Value], _ type: FieldType, _ body: (Value, Value) -> UInt64
  ) -> Column {
    var out = Column.absent(type)
    out.values.reserveCapacity(count)
    for row in 0..<count { out.values.append(body(x[row], y[row])) }
    if a.validity.isEmpty, b.validity.isEmpty {
      out.presentCount = count
      return out
    }
    out.validity = (0..<(count + 63) / 64).map { a.presence($0, count: count) & b.presence($0, count: count) }
    out.settle(count: count)
    return out
  }

  /// Numbers as floats.
  static func doubles(_ column: Column) -> [Double] {
    switch column.key.type {
    case .float: column.values.map { Double(bitPattern: $0) }
    case .integer: column.values.map { Double(Int64(bitPattern: $0)) }
    default: column.values.map { Double($0) }
    }
  }

  // MARK: Functions

  private func math(_ function: MathFunction, _ arguments: [Column]) -> Column {
    let a = arguments[0]
    guard a.key.type <= .unsigned, arguments.allSatisfy({ $0.presentCount > 0 && $0.key.type <= .unsigned })
    else {
      return .absent(.float)
    }
    if let b = arguments.dropFirst().first {
      let (x, y) = (Self.doubles(a), Self.doubles(b))
      return switch function {
      case .atan2: combine(a, b, x, y, .float) { Glibc.atan2($0, $1).bitPattern }
      case .pow: combine(a, b, x, y, .float) { Glibc.pow($0, $1).bitPattern }
      default: combine(a, b, x, y, .float) { (Glibc.log($0) / Glibc.log($1)).bitPattern }
      }
    }
    if a.key.type != .float {
      switch function {
      case .floor, .ceil, .round: return a
      case .abs where a.key.type == .unsigned: return a
      case .abs:
        return map(a, .integer) {
          UInt64(
            bitPattern: Int64(bitPattern: $0).magnitude == 1 << 63 ? .min : Swift.abs(Int64(bitPattern: $0)))
        }
      default: break
      }
    }
    var operand = a
    if a.key.type != .float { operand.values = Self.doubles(a).map(\.bitPattern) }
    return map(operand, .float) { Self.apply(function, Double(bitPattern: $0)).bitPattern }
  }

  @inline(__always)
  private func map(_ a: Column, _ type: FieldType, _ body: (UInt64) -> UInt64) -> Column {
    var out = a
    out.key = Column.unnamed(type)
    for row in out.values.indices { out.values[row] = body(out.values[row]) }
    return out
  }

  private static func apply(_ function: MathFunction, _ x: Double) -> Double {
    switch function {
    case .abs: Swift.abs(x)
    case .sin: Glibc.sin(x)
    case .cos: Glibc.cos(x)
    case .tan: Glibc.tan(x)
    case .asin: Glibc.asin(x)
    case .acos: Glibc.acos(x)
    case .atan: Glibc.atan(x)
    case .exp: Glibc.exp(x)
    case .ln, .log: Glibc.log(x)
    case .log2: Glibc.log2(x)
    case .log10: Glibc.log10(x)
    case .sqrt: x.squareRoot()
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .round: x.rounded(.toNearestOrAwayFromZero)
    case .atan2, .pow: .nan
    }
  }
}
