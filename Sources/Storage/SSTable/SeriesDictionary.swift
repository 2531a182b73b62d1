/// All series of one measurement of a table, decoded: what predicates are evaluated on and lists are cut from again and again.
struct SeriesDictionary: Sendable {
  /// Measurements with more series are decoded anew where they are asked for.
  static let seriesCountMax = 4_096
  /// Up to so many it costs no more to decode them all than to decode a few: blocks are decoded in pieces of that many.
  static let smallSeriesCountMax = TableFormat.miniBlockCount

  /// Every series, in order.
  let list: SeriesList
  /// For each tag key each series' code: 0 for absent, else the value's place plus one.
  let codes: [[UInt64]]
  /// For each tag key its values, every block, none `nil`. Without their source, which holds the file and the cache that this lies in.
  let values: [[TagValues.Block?]]

  var byteCount: Int {
    list.count * (32 + 8 * codes.count) + list.keyBytes.count + values.joined().reduce(0) { $0 + ($1?.byteCount ?? 0) }
  }

  /// The series of a set, in order.
  func list(of set: BitVector) -> SeriesList {
    let chosen = set.onesCount(in: 0..<list.count)
    if chosen == list.count { return list }
    var out = SeriesList()
    out.rowGroupCount = list.rowGroupCount
    var at = 0
    while let ordinal = set.firstOne(in: at..<list.count) {
      out.append(
        key: list.keyBytes[list.keyRange(ordinal)], ordinal: UInt32(ordinal),
        firstTimestamp: list.firstTimestamps[ordinal], lastTimestamp: list.lastTimestamps[ordinal])
      at = ordinal + 1
    }
    return out
  }
}
