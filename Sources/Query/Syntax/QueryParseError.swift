/// Why nothing of a text was run: it does not parse.
public struct QueryParseError: Error, Sendable, Equatable {
  /// InfluxDB's text: "error parsing query: found SELEC, expected … at line 1, char 1".
  public var message: String
  /// Byte in the text.
  public var offset: Int

  /// That byte as line and column, "line 1, char 5": some of InfluxDB's messages do not say it.
  public var place: String

  public init(message: String, offset: Int, place: String = "") {
    self.message = message
    self.offset = offset
    self.place = place
  }
}
