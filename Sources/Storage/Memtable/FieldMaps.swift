import LineProtocol

/// Where the fields that a reader wants lie in rows of each field list of a part.
struct FieldMaps {
  /// The list does not have the field's name.
  static let absent = -1
  /// The list has the name with another type: a row of it hides older values of the wanted type.
  static let otherType = -2

  private let fields: [FieldKey]
  /// One for each field list and field: index of the value in the row, or one of the above.
  private var slots: [Int] = []
  private var listCount = 0

  init(fields: [FieldKey]) { self.fields = fields }

  @inline(__always) subscript(_ list: Int, _ field: Int) -> Int { slots[list &* fields.count &+ field] }

  /// Makes sure that a list that a chunk names is known.
  mutating func cover(_ list: Int, of part: Part) {
    if list < listCount { return }
    for added in part.fieldLists[listCount...] {
      for field in fields { slots.append(Self.slot(of: field, in: added.keys)) }
      listCount += 1
    }
    precondition(list < listCount, "field list \(list) of \(listCount)")
  }

  private static func slot(of field: FieldKey, in keys: [FieldKey]) -> Int {
    guard let index = keys.firstIndex(where: { $0.name == field.name }) else { return absent }
    return keys[index].type == field.type ? index : otherType
  }
}
