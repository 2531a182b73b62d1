import LineProtocol
import Storage

/// A name in a statement, with its cast.
struct Reference: Hashable, Sendable {
  var name: String
  var cast: Cast?

  /// What the name stands for in one measurement.
  enum Meaning: Equatable {
    case field(ScanColumn)
    case tag([UInt8])
    /// A name that the measurement does not have; as a tag it is empty.
    case missing
  }

  func meaning(in schema: MeasurementSchema) -> Meaning {
    let key = Array(name.utf8)
    let tag: Meaning = schema.hasTag(key) ? .tag(key) : .missing
    switch cast {
    case .tag: return tag
    case .field: return schema.fields[key].map { .field(ScanColumn(name: key, type: $0)) } ?? .missing
    case .float, .integer, .unsigned, .string, .boolean:
      guard schema.fields[key] != nil else { return .missing }
      return .field(ScanColumn(name: key, type: castType ?? .float))
    case nil: return schema.fields[key].map { .field(ScanColumn(name: key, type: $0)) } ?? tag
    }
  }

  private var castType: FieldType? {
    switch cast {
    case .float: .float
    case .integer: .integer
    case .unsigned: .unsigned
    case .string: .string
    case .boolean: .boolean
    default: nil
    }
  }
}
