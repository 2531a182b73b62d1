/// The `params` of a query: a JSON object, as InfluxDB takes it.
public enum BindParameters {
  /// What cannot be bound, and why.
  public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
    /// "$x: unknown bind object type: int".
    public var description: String

    init(_ description: String) { self.description = description }
  }

  /// Each parameter's value as the text of one InfluxQL token. A value is a string, a number or a boolean, or an object that says what it
  /// is: `{"regex":"^a"}`, `{"duration":"1h"}`, `{"identifier":"cpu"}`, `{"string":…}`, `{"float":…}`, `{"integer":…}`.
  public static func literals(json: [UInt8]) throws(Failure) -> [String: String] {
    var reader = JSONReader(json)
    var found: [String: String] = [:]
    var failure: Failure?
    do throws(JSONSyntaxError) {
      try reader.readObject { (name, reader) throws(JSONSyntaxError) in
        do throws(Failure) { found[name] = try literal(name, &reader) } catch {
          failure = failure ?? error
          throw reader.error(error.description)
        }
      }
      guard reader.isAtEnd else { throw reader.error("more after the object") }
    } catch {
      throw failure ?? Failure("\(error)")
    }
    return found
  }

  private static func literal(_ name: String, _ reader: inout JSONReader) throws(Failure) -> String {
    do throws(JSONSyntaxError) {
      switch try reader.peek() {
      case UInt8(ascii: "{"): break
      case UInt8(ascii: "\""): return Expression.quoteString(try reader.readString())
      case UInt8(ascii: "t"), UInt8(ascii: "f"): return try reader.readBoolean() ? "true" : "false"
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number(try reader.readNumber())
      default:
        throw reader.error(
          "$\(name): a parameter is a string, a number, a boolean or an object that says what it is")
      }
      var text: String?
      try reader.readObject { (kind, reader) throws(JSONSyntaxError) in text = try typed(kind, &reader) }
      guard let text else { throw reader.error("$\(name): an object says one type and value") }
      return text
    } catch {
      throw Failure(error.detail.hasPrefix("$") ? error.detail : "$\(name): \(error.detail)")
    }
  }

  /// An exact integer stays one; all else is written as a float, without an exponent, which the grammar does not have.
  private static func number(_ value: JSONNumber) -> String {
    if let integer = value.integer { return "\(integer)" }
    if let unsigned = value.unsigned { return "\(unsigned)" }
    return Expression.number(value.double).description
  }

  private static func typed(_ kind: String, _ reader: inout JSONReader) throws(JSONSyntaxError) -> String {
    switch kind {
    case "regex": return Expression.quoteRegex(try reader.readString())
    case "identifier":
      // Quoted, so that no word of the language comes of it.
      return "\"\(Expression.escape(try reader.readString(), quote: "\""))\""
    case "string": return Expression.quoteString(try reader.readString())
    case "boolean": return try reader.readBoolean() ? "true" : "false"
    case "float": return Expression.number(try reader.readNumber().double).description
    case "integer": return "\(try integer(kind, &reader))"
    case "duration":
      if try reader.peek() != UInt8(ascii: "\"") { return "\(try integer(kind, &reader))ns" }
      let text = try reader.readString()
      guard DurationLiteral.isOne(text) else { throw reader.error("invalid duration: \(text)") }
      return text
    default: throw reader.error("unknown bind object type: \(kind)")
    }
  }

  private static func integer(_ kind: String, _ reader: inout JSONReader) throws(JSONSyntaxError) -> Int64 {
    guard try reader.peek() != UInt8(ascii: "\""), let value = try reader.readNumber().integer else {
      throw reader.error("\(kind) literal must be an integer value")
    }
    return value
  }
}

extension DurationLiteral {
  /// Whether a text is a duration, months among them.
  fileprivate static func isOne(_ text: String) -> Bool {
    if parseMonths(text) != nil { return true }
    do throws(Failure) { _ = try parse(text) } catch { return false }
    return true
  }
}
