import LineProtocol
import Storage

/// The names of one measurement in the windows that a statement reads.
struct MeasurementSchema {
  /// The type in which a query sees each field.
  private(set) var fields: [[UInt8]: FieldType] = [:]
  /// Sorted.
  private(set) var tagKeys: [[UInt8]] = []
  private var tagKeySet: Set<[UInt8]> = []
  /// What a field's type leaves out, by field.
  private var messages: [[UInt8]: ResultMessage] = [:]

  init() {}

  init(_ snapshot: Snapshot, _ measurement: [UInt8], times: Range<Int64>) throws(StorageError) {
    let keys = try snapshot.fields(of: measurement, times: times)
    var index = 0
    while index < keys.count {
      let name = keys[index].name
      var types: [FieldType] = []
      while index < keys.count, keys[index].name == name {
        types.append(keys[index].type)
        index += 1
      }
      let type = Self.widest(types)
      fields[name] = type
      let hidden = types.filter { !Self.isNumeric($0) && $0 != type }
      if !hidden.isEmpty {
        messages[name] = ResultMessage(
          level: "warning",
          text:
            "field \(String(decoding: name, as: UTF8.self)) is read as \(type.name): its values of type "
            + "\(hidden.map(\.name).joined(separator: ", ")) are left out; ask for them with ::type")
      }
    }
    tagKeys = try snapshot.tagKeys(of: measurement, times: times)
    tagKeySet = Set(tagKeys)
  }

  /// What must be said of columns that are read as their fields' widest types.
  func messages(for columns: [ScanColumn]) -> [ResultMessage] {
    columns.compactMap { fields[$0.name] == $0.type ? messages[$0.name] : nil }
  }

  mutating func add(field name: [UInt8], _ type: FieldType) { fields[name] = type }

  func hasTag(_ key: [UInt8]) -> Bool { tagKeySet.contains(key) }

  /// One measurement's names and another's together, for statements that read several.
  mutating func formUnion(_ other: MeasurementSchema) {
    if fields.isEmpty, tagKeys.isEmpty { return self = other }
    fields.merge(other.fields) { Self.widest([$0, $1]) }
    tagKeySet.formUnion(other.tagKeySet)
    tagKeys = tagKeySet.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The type that a query sees: float over integer over unsigned; strings and booleans where nothing is a number.
  ///
  /// Integers and unsigned together are integers: what does not fit 63 bits is left out.
  static func widest(_ types: [FieldType]) -> FieldType {
    for type in [FieldType.float, .integer, .unsigned, .string] where types.contains(type) { return type }
    return .boolean
  }

  static func isNumeric(_ type: FieldType) -> Bool { type <= .unsigned }
}
