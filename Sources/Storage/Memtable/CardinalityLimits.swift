/// How many series, and values of a tag key, may be live at once: bounds of memory, and what stops a tag that takes a new value with every
/// point.
public struct CardinalityLimits: Sendable, Equatable {
  /// Live series of a database, all its policies together; 0: no limit.
  public var seriesCountMax = 10_000_000
  /// Live values of one tag key of one measurement; 0: no limit.
  public var tagValueCountMax = 1_000_000

  public init() {}

  /// No limits.
  public static let none: CardinalityLimits = {
    var limits = CardinalityLimits()
    (limits.seriesCountMax, limits.tagValueCountMax) = (0, 0)
    return limits
  }()
}
