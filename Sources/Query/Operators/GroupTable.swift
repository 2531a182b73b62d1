/// The groups of a statement, numbered as they are met.
struct GroupTable {
  let tagKeys: [[UInt8]]
  private var numbers: [[UInt8]: Int] = [:]
  /// By number.
  private(set) var keys: [[UInt8]] = []

  init(tagKeys: [[UInt8]]) { self.tagKeys = tagKeys }

  var count: Int { keys.count }

  /// The number of a series' group.
  mutating func number(of tags: SeriesTags) -> Int {
    if tagKeys.isEmpty, !keys.isEmpty { return 0 }
    return number(of: tags.groupKey(tagKeys))
  }

  mutating func number(of key: [UInt8]) -> Int {
    if let number = numbers[key] { return number }
    numbers[key] = keys.count
    keys.append(key)
    return keys.count - 1
  }

  /// The values of a group's tags, in the order of the keys.
  func values(_ group: Int) -> [[UInt8]] { SeriesTags.values(keys[group], count: tagKeys.count) }

  /// The numbers of the groups in the order of their values.
  ///
  /// - Parameter isInterrupted: asked all along; it then fails.
  func sorted(unless isInterrupted: @escaping () -> Bool) throws(QueryFailure) -> [Int] {
    guard count > 1 else { return Array(0..<count) }
    var check = InterruptCheck(isInterrupted)
    var values: [[[UInt8]]] = []
    for group in 0..<count {
      try check.pass(tagKeys.count + 1)
      values.append(self.values(group))
    }
    return try (0..<count).sorted(unless: isInterrupted) { a, b in
      for tag in tagKeys.indices.dropLast() where values[a][tag] != values[b][tag] {
        return values[a][tag].lexicographicallyPrecedes(values[b][tag])
      }
      // No two groups have the same values.
      guard let last = tagKeys.indices.last else { return false }
      return values[a][last].lexicographicallyPrecedes(values[b][last])
    }
  }
}
