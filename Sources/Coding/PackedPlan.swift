/// How a column's blocks are packed: what served the last one is tried first.
struct PackedPlan: Equatable, Sendable {
  var code = TransformCode.identity
  /// Of `.scaled`.
  var unit: UInt64 = 1
  /// Of `.decimal`.
  var exponent = 0
  var prediction = Prediction.delta
  /// Of a line, where a round number serves better than what each group says; else 0.
  var slope: UInt64 = 0
  /// Whether integers are told by ranges and places in them, not packed.
  var isInRanges = false
}
