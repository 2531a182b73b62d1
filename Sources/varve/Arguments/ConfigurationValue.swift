import FoundationEssentials

/// A value of the configuration file.
package indirect enum ConfigurationValue: Decodable, Equatable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case list([ConfigurationValue])
  case object([String: ConfigurationValue])

  /// Decodes a file of JSON5.
  ///
  /// - Throws: `UsageError` that names the file and says where it is not JSON5.
  package init(file: String, bytes: [UInt8]) throws {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    do {
      self = try decoder.decode(ConfigurationValue.self, from: Data(bytes))
    } catch DecodingError.dataCorrupted(let context) {
      var detail = context.debugDescription
      if let cause = context.underlyingError { detail += " \(cause)" }
      throw UsageError("\(file) is not JSON5: \(detail)")
    }
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = Self.attempt({ try container.decode(Bool.self) }) {
      self = .boolean(value)
    } else if let value = Self.attempt({ try container.decode(Int64.self) }) {
      self = .integer(value)
    } else if let value = Self.attempt({ try container.decode(Double.self) }) {
      self = .number(value)
    } else if let value = Self.attempt({ try container.decode(String.self) }) {
      self = .string(value)
    } else if let value = Self.attempt({ try container.decode([ConfigurationValue].self) }) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: ConfigurationValue].self))
    }
  }

  /// Decoding tries one type after another; a type that does not fit is no failure.
  private static func attempt<Value>(_ decode: () throws -> Value) -> Value? {
    do { return try decode() } catch { return nil }
  }

  /// The value as texts of flags; `nil` for objects and lists that hold one: who owns the flag reads those himself.
  package var texts: [String]? {
    switch self {
    case .null: []
    case .boolean(let value): ["\(value)"]
    case .integer(let value): ["\(value)"]
    case .number(let value): ["\(value)"]
    case .string(let value): [value]
    case .object: nil
    case .list(let values):
      values.reduce(into: [] as [String]?) { texts, value in
        guard let more = value.texts, more.count == 1 else { return texts = nil }
        texts?.append(more[0])
      }
    }
  }
}
