import LineProtocol
import Storage

/// The names of one measurement in the windows that a statement reads.
struct MeasurementSchema {
  private var fields = SortedNames()
  /// The type in which a query sees each field, side by side with `fields`.
  private var types: [FieldType] = []
  private var tags = SortedNames()
  /// What a field's type leaves out, by field.
  private var messages: [[UInt8]: ResultMessage] = [:]

  init() {}

  init(_ snapshot: Snapshot, _ measurement: [UInt8], times: Range<Int64>) throws(StorageError) {
    let keys = try snapshot.fields(of: measurement, times: times)
    var names: [[UInt8]] = []
    names.reserveCapacity(keys.count)
    types.reserveCapacity(keys.count)
    var index = 0
    while index < keys.count {
      let first = index
      let name = keys[first].name
      repeat { index += 1 } while index < keys.count && keys[index].name == name
      names.append(name)
      types.append(index == first + 1 ? keys[first].type : widest(keys[first..<index]))
    }
    fields = SortedNames(sorted: names)
    tags = SortedNames(sorted: try snapshot.tagKeys(of: measurement, times: times))
  }

  /// The type of a field that has several, and what must be said of it.
  private mutating func widest(_ keys: ArraySlice<FieldKey>) -> FieldType {
    let types = keys.map(\.type)
    let type = Self.widest(types)
    let hidden = types.filter { !Self.isNumeric($0) && $0 != type }
    if let name = keys.first?.name, !hidden.isEmpty {
      messages[name] = ResultMessage(
        level: "warning",
        text:
          "field \(String(decoding: name, as: UTF8.self)) is read as \(type.name): its values of type "
          + "\(hidden.map(\.name).joined(separator: ", ")) are left out; ask for them with ::type")
    }
    return type
  }

  /// Sorted.
  var fieldNames: [[UInt8]] { fields.all }
  /// Sorted.
  var tagKeys: [[UInt8]] { tags.all }

  /// The type in which a query sees a field; `nil` where there is none of the name.
  func type(ofField name: [UInt8]) -> FieldType? { fields.place(of: name).map { types[$0] } }

  /// What must be said of columns that are read as their fields' widest types.
  func messages(for columns: [ScanColumn]) -> [ResultMessage] {
    if messages.isEmpty { return [] }
    return columns.compactMap { type(ofField: $0.name) == $0.type ? messages[$0.name] : nil }
  }

  mutating func add(field name: [UInt8], _ type: FieldType) {
    if let place = fields.place(of: name) { types[place] = type } else { types.insert(type, at: fields.insert(name)) }
  }

  func hasTag(_ key: [UInt8]) -> Bool { tags.contains(key) }

  /// One measurement's names and another's together, for statements that read several.
  mutating func formUnion(_ other: MeasurementSchema) {
    if fields.count == 0, tags.count == 0 { return self = other }
    let union = fields.union(other.fields)
    types = union.all.map { name in Self.widest([type(ofField: name), other.type(ofField: name)].compactMap { $0 }) }
    fields = union
    tags = tags.union(other.tags)
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
