/// A piece of the store that is measured alone.
protocol Layer: AnyObject {
  var name: String { get }
  /// What its cost is told by: `values`, or `lines`.
  var unit: String { get }
  /// How many of them a round takes through it.
  var count: Int { get }
  /// Bytes that a round reads (`parse`) or makes; 0 where there are none.
  var byteCount: Int { get }

  /// Does all once, on the watch, and holds what came out to what went in, off it.
  ///
  /// - Returns: whether it is right.
  func run(_ watch: inout Stopwatch) throws -> Bool
}
