/// The groups of a statement, numbered as they are met.
struct GroupTable {
  let tagKeys: [[UInt8]]
  private var numbers: [Key: Int] = [:]
  /// By number.
  private(set) var keys: [[UInt8]] = []

  /// Groups that there is room for from the second on: making room step by step costs more than finding a hundred of them.
  private static let groupCountMin = 128

  /// Hashed as one piece: an array of bytes is hashed byte by byte.
  private struct Key: Hashable {
    let bytes: [UInt8]

    func hash(into hasher: inout Hasher) {
      // The hasher reads the bytes before the call returns.
      unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
  }

  init(tagKeys: [[UInt8]]) { self.tagKeys = tagKeys }

  var count: Int { keys.count }

  /// The number of a series' group.
  mutating func number(of tags: SeriesTags) -> Int {
    if tagKeys.isEmpty, !keys.isEmpty { return 0 }
    return number(of: tags.groupKey(tagKeys))
  }

  mutating func number(of key: [UInt8]) -> Int {
    let hashed = Key(bytes: key)
    if let number = numbers[hashed] { return number }
    if keys.count == 1 {
      numbers.reserveCapacity(Self.groupCountMin)
      keys.reserveCapacity(Self.groupCountMin)
    }
    numbers[hashed] = keys.count
    keys.append(key)
    return keys.count - 1
  }

  /// The values of a group's tags, in the order of the keys.
  func values(_ group: Int) -> [[UInt8]] {
    var values: [[UInt8]] = []
    values.reserveCapacity(tagKeys.count)
    visitValues(group) { _, value in values.append(Array(value)) }
    return values
  }

  /// Calls `body` with the place of each key and the value of its tag.
  func visitValues(_ group: Int, _ body: (Int, ArraySlice<UInt8>) -> Void) {
    let reader = SeriesTags(keys[group])
    var offset = 0
    for place in tagKeys.indices { body(place, reader.bytes[reader.place(&offset)]) }
  }

  /// The numbers of the groups in the order of their values.
  ///
  /// - Parameter isInterrupted: asked all along; it then fails.
  func sorted(unless isInterrupted: @escaping () -> Bool) throws(QueryFailure) -> [Int] {
    guard count > 1 else { return Array(0..<count) }
    var check = InterruptCheck(isInterrupted)
    var heads: [(head: UInt64, group: Int)] = []
    heads.reserveCapacity(count)
    for group in 0..<count {
      try check.pass(tagKeys.count + 1)
      heads.append((head(of: group), group))
    }
    // Most are told apart by how their first values begin.
    return try heads.sorted(unless: isInterrupted) { a, b in
      a.head != b.head ? a.head < b.head : precedes(a.group, b.group)
    }.map(\.group)
  }

  /// The first eight bytes of a group's first value, as a number that is in their order.
  private func head(of group: Int) -> UInt64 {
    let reader = SeriesTags(keys[group])
    var offset = 0
    let value = tagKeys.isEmpty ? 0..<0 : reader.place(&offset)
    var head: UInt64 = 0
    for index in 0..<min(value.count, 8) {
      head |= UInt64(reader.bytes[value.lowerBound + index]) << UInt64(56 - 8 * index)
    }
    return head
  }

  /// Whether a group comes before another by the values of all keys. No two groups have the same.
  private func precedes(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (SeriesTags(keys[a]), SeriesTags(keys[b]))
    var (xOffset, yOffset) = (0, 0)
    for _ in tagKeys {
      let order = x.order(x.place(&xOffset), y.bytes, y.place(&yOffset))
      if order != 0 { return order < 0 }
    }
    return false
  }
}
