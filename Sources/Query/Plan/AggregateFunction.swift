import LineProtocol

/// What makes one value, or a few, of the values of a bucket.
enum AggregateFunction: String, Sendable, CaseIterable {
  case count, sum, mean, min, max, first, last, spread, stddev, median, mode, percentile, distinct, integral
  case top, bottom, sample
  /// `count(distinct(…))`.
  case countDistinct

  /// Whether its value is that of a point, which has a time and other fields.
  var isSelector: Bool {
    switch self {
    case .min, .max, .first, .last, .percentile, .top, .bottom, .sample: true
    default: false
    }
  }

  /// Whether a bucket has one answer at most.
  var isScalar: Bool {
    switch self {
    case .distinct, .top, .bottom, .sample: false
    default: true
    }
  }

  /// Whether it counts, so that an empty bucket is 0 and not null.
  var isCount: Bool { self == .count || self == .countDistinct }

  /// Whether it takes values of a type.
  func takes(_ type: FieldType) -> Bool {
    switch self {
    case .count, .countDistinct, .first, .last, .mode, .distinct, .sample: true
    case .min, .max: type != .string
    default: type <= .unsigned
    }
  }

  /// The type of its answers.
  func answerType(for type: FieldType) -> FieldType {
    switch self {
    case .count, .countDistinct: .integer
    case .mean, .stddev, .median, .integral: .float
    default: type
    }
  }
}
