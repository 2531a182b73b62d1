/// The type of a field's values. The numbers are those written to disk; 0 is never valid.
public enum FieldType: UInt8, Sendable, BitwiseCopyable, CaseIterable, Comparable {
  case float = 1
  case integer = 2
  case unsigned = 3
  case boolean = 4
  case string = 5

  public static func < (a: FieldType, b: FieldType) -> Bool { a.rawValue < b.rawValue }
}

/// A field's name, unescaped, with one type of its values.
///
/// A field that was sent with values of several types has one `FieldKey` for each: they are separate columns, but in one
/// point at most one of them is present. A *field list* is an array of these, in the order sent, no name twice.
public struct FieldKey: Hashable, Sendable {
  /// The unescaped name, valid UTF-8.
  public var name: [UInt8]
  public var type: FieldType

  public init(name: [UInt8], type: FieldType) {
    self.name = name
    self.type = type
  }
}

extension FieldType {
  /// InfluxDB's word, as `SHOW FIELD KEYS` writes it.
  package var name: String {
    switch self {
    case .float: "float"
    case .integer: "integer"
    case .unsigned: "unsigned"
    case .boolean: "boolean"
    case .string: "string"
    }
  }

  /// The type of such a word; `nil` for any other.
  package init?(named name: String) {
    guard let type = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = type
  }
}
