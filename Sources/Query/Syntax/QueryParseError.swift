/// Why nothing of a text was run: it does not parse.
public struct QueryParseError: Error, Sendable, Equatable {
  /// InfluxDB's text: "error parsing query: found SELEC, expected … at line 1, char 1".
  public var message: String
  /// Byte in the text.
  public var offset: Int

  public init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}
