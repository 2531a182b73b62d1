import LineProtocol

/// The groups of a statement, numbered as they are met.
///
/// Keys lie one behind another in one array: a group takes its key and some twenty bytes, and finding it makes no array.
struct GroupTable {
  let tagKeys: [[UInt8]]
  private var numbers = TaggedTable<UInt32>(countMax: groupCountMin)
  /// The keys as `SeriesTags` makes them; by number where each ends, and its hash.
  private var keys: [UInt8] = []
  private var ends: [Int] = []
  private var hashes: [UInt32] = []

  /// Groups that there is room for at first.
  private static let groupCountMin = 64
  /// Its key is random: tag values come from strangers.
  private static let keyed = KeyedHash()

  init(tagKeys: [[UInt8]]) { self.tagKeys = tagKeys }

  var count: Int { ends.count }

  /// The number of a series' group.
  mutating func number(of tags: SeriesTags) -> Int {
    if tagKeys.isEmpty, count > 0 { return 0 }
    let start = keys.count
    tags.appendGroupKey(tagKeys, to: &keys)
    return number(ofKeyFrom: start)
  }

  /// The number of a group of another table.
  mutating func number(of group: Int, in other: GroupTable) -> Int {
    let start = keys.count
    keys.append(contentsOf: other.keys[other.place(of: group)])
    return number(ofKeyFrom: start)
  }

  /// The number of the key that was written behind the others: there it stays if it is a new one.
  private mutating func number(ofKeyFrom start: Int) -> Int {
    let (hash, known) = find(start..<keys.count)
    if let known {
      keys.removeLast(keys.count - start)
      return known
    }
    ends.append(keys.count)
    hashes.append(hash)
    let all = hashes
    numbers.insertNext(hash: hash) { all[Int($0)] }
    return count - 1
  }

  private func find(_ key: Range<Int>) -> (hash: UInt32, number: Int?) {
    let hash = unsafe keys.withUnsafeBufferPointer {
      UInt32(truncatingIfNeeded: unsafe Self.keyed.hash(UnsafeBufferPointer(rebasing: $0[key])))
    }
    let reader = SeriesTags(keys)
    let slot = numbers.find(hash) { reader.order(place(of: Int($0)), keys, key) == 0 }
    return (hash, slot.map { Int(numbers[$0]) })
  }

  private func place(of group: Int) -> Range<Int> { (group == 0 ? 0 : ends[group - 1])..<ends[group] }

  private func reader(of group: Int) -> SeriesTags { SeriesTags(keys, place(of: group)) }

  /// The values of a group's tags, in the order of the keys.
  func values(_ group: Int) -> [[UInt8]] {
    var values: [[UInt8]] = []
    values.reserveCapacity(tagKeys.count)
    visitValues(group) { _, value in values.append(Array(value)) }
    return values
  }

  /// Calls `body` with the place of each key and the value of its tag.
  func visitValues(_ group: Int, _ body: (Int, ArraySlice<UInt8>) -> Void) {
    let reader = reader(of: group)
    var offset = place(of: group).lowerBound
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
    let reader = reader(of: group)
    var offset = place(of: group).lowerBound
    let value = tagKeys.isEmpty ? 0..<0 : reader.place(&offset)
    var head: UInt64 = 0
    for index in 0..<min(value.count, 8) {
      head |= UInt64(reader.bytes[value.lowerBound + index]) << UInt64(56 - 8 * index)
    }
    return head
  }

  /// Whether a group comes before another by the values of all keys. No two groups have the same.
  private func precedes(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (reader(of: a), reader(of: b))
    var (xOffset, yOffset) = (place(of: a).lowerBound, place(of: b).lowerBound)
    for _ in tagKeys {
      let order = x.order(x.place(&xOffset), y.bytes, y.place(&yOffset))
      if order != 0 { return order < 0 }
    }
    return false
  }
}
