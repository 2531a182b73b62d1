package import LineProtocol

/// What the numbers in a `LineBatch` stand for: a receiver's vocabulary, or what replay has read from the
/// log.
///
/// Asked only for numbers not seen before; a number keeps its meaning within a generation.
package protocol RowNames: AnyObject {
  /// When it changes all numbers have lost their meaning.
  var generation: UInt64 { get }
  /// A spelling's series, unescaped, tags sorted.
  func seriesKey(_ number: UInt32) -> SeriesKey
  /// A field list's fields, in the order sent, no name twice.
  func fieldList(_ number: UInt32) -> [FieldKey]
}

extension Vocabulary: RowNames {}
