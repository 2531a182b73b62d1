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
    let type = cast == .tag ? nil : schema.type(ofField: key)
    switch (cast, type) {
    case (nil, let type?), (.field, let type?): return .field(ScanColumn(name: key, type: type))
    case (_, .some): return .field(ScanColumn(name: key, type: castType ?? .float))
    case (nil, nil), (.tag, nil): return schema.hasTag(key) ? .tag(key) : .missing
    case (_, nil): return .missing
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
