/// A place in the text of a query.
struct TextPosition: Sendable, Equatable {
  /// Byte, from 0.
  var offset = 0
  /// Line, from 1.
  var line = 1
  /// Character (Unicode scalar) in that line, from 1.
  var character = 1
}

extension TextPosition: CustomStringConvertible {
  /// As InfluxDB's messages name it.
  var description: String { "line \(line), char \(character)" }
}
