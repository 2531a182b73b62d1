/// One receiver's numbers for series as spelled and for field lists. Bounded; belongs to one thread.
public final class Vocabulary {
  /// Counts the times that all numbers were forgotten because a bound was reached; holders of numbers then forget theirs.
  public private(set) var generation: UInt64 = 0

  public init() {}

  /// Spellings numbered so far; numbers are 0 ..< this.
  public var seriesCount: Int { 0 }
  /// Field lists numbered so far.
  public var fieldListCount: Int { 0 }
  /// A spelling's series, unescaped, tags sorted.
  public func seriesKey(_ number: UInt32) -> SeriesKey { SeriesKey(measurement: [], tags: []) }
  /// A field list's fields, in the order sent, no name twice.
  public func fieldList(_ number: UInt32) -> [FieldKey] { [] }
}
