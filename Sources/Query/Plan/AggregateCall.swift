/// An aggregate of one field, with its parameters.
struct AggregateCall: Hashable, Sendable {
  var function: AggregateFunction
  var argument: Reference
  /// Of `percentile`.
  var percentile = 0.0
  /// Of `top`, `bottom` and `sample`.
  var count = 0
  /// Of `integral`, nanoseconds.
  var unit: Int64 = 1_000_000_000
  /// Of `top` and `bottom`: one point for each combination of these tags.
  var tags: [String] = []

  init(_ function: AggregateFunction, of argument: Reference) {
    self.function = function
    self.argument = argument
  }
}
