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
  /// Calls `body` with the flat form of the same.
  func withSeriesKey(_ number: UInt32, _ body: (UnsafeBufferPointer<UInt8>) -> Void)
  /// A field list's fields, in the order sent, no name twice.
  func fieldList(_ number: UInt32) -> [FieldKey]
}

extension RowNames {
  package func withSeriesKey(_ number: UInt32, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    unsafe seriesKey(number).bytes.withUnsafeBufferPointer { unsafe body($0) }
  }
}

extension Vocabulary: RowNames {}
