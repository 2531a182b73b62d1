import Coding
import LineProtocol

/// One column of one row group as the index knows it.
struct ColumnEntry: Sendable, Equatable {
  /// Bytes from the row group's first byte to the block's.
  var relativeOffset = 0
  /// Stored, with trailer; 0 where the group lacks the column.
  var byteCount = 0
  /// The encoding as the block names it, for those who look.
  var encoding: UInt8 = 0
  var statistics = ColumnStatistics()

  var isPresent: Bool { byteCount > 0 }
}

/// One row group as the index knows it.
struct RowGroupEntry: Sendable, Equatable {
  /// Ordinal of the first series whose rows lie in it.
  var firstSeries: Int
  /// Series whose rows lie in it; statistics answer where it is 1.
  var seriesCount: Int
  var rowCount: Int
  var firstTimestamp: Int64
  var lastTimestamp: Int64
  /// Of the first block, the timestamps.
  var offset: UInt64
  var timestampByteCount: Int
}

/// Gathers the row groups of one measurement while they are written; some 150 bytes a column of a group.
struct RowGroupIndexBuilder {
  private(set) var groups: [RowGroupEntry] = []
  /// By the writer's number of the field: the groups that have it, ascending, and what is known.
  private var columns: [[(group: Int, entry: ColumnEntry)]] = []

  var count: Int { groups.count }

  mutating func append(_ group: RowGroupEntry, columns present: [(field: Int, entry: ColumnEntry)]) {
    for (field, entry) in present {
      while columns.count <= field { columns.append([]) }
      columns[field].append((groups.count, entry))
    }
    groups.append(group)
  }

  /// The ranges of groups that are indexed together.
  var stripes: [Range<Int>] {
    stride(from: 0, to: groups.count, by: TableFormat.indexStripeGroupCount).map {
      $0..<min($0 + TableFormat.indexStripeGroupCount, groups.count)
    }
  }

  /// The payload for the groups themselves: seven columns.
  func encodeGroups(_ stripe: Range<Int>, with encoder: inout SectionEncoder) -> [UInt8] {
    var payload: [UInt8] = []
    let groups = groups[stripe]
    encoder.append(groups.map { UInt64($0.firstSeries) }, to: &payload)
    encoder.append(groups.map { UInt64($0.seriesCount) }, to: &payload)
    encoder.append(groups.map { UInt64($0.rowCount) }, to: &payload)
    encoder.append(groups.map { UInt64(bitPattern: $0.firstTimestamp) }, kind: .timestamp, to: &payload)
    encoder.append(groups.map { UInt64(bitPattern: $0.lastTimestamp &- $0.firstTimestamp) }, to: &payload)
    encoder.append(groups.map(\.offset), to: &payload)
    encoder.append(groups.map { UInt64($0.timestampByteCount) }, to: &payload)
    return payload
  }

  /// The payload for one field: handles (four columns), then statistics (nine); empty if no group of the stripe has it.
  func encodeColumn(
    _ field: Int, type: FieldType, _ stripe: Range<Int>, with encoder: inout SectionEncoder
  ) -> [UInt8] {
    guard field < columns.count else { return [] }
    var entries = [ColumnEntry](repeating: ColumnEntry(), count: stripe.count)
    let list = columns[field]
    var at = list.partitioningIndex { $0.group >= stripe.lowerBound }
    guard at < list.count, list[at].group < stripe.upperBound else { return [] }
    while at < list.count, list[at].group < stripe.upperBound {
      entries[list[at].group - stripe.lowerBound] = list[at].entry
      at += 1
    }
    var payload: [UInt8] = []
    encoder.append(entries.map { UInt64($0.relativeOffset) }, to: &payload)
    encoder.append(entries.map { UInt64($0.byteCount) }, to: &payload)
    encoder.append(entries.map { UInt64($0.encoding) }, to: &payload)
    encoder.append(entries.map { UInt64($0.statistics.count) }, to: &payload)
    let kind = columnKind(type)
    for path in [\ColumnStatistics.minimum, \.maximum, \.first, \.last] {
      encoder.append(entries.map { $0.statistics[keyPath: path] }, kind: kind, to: &payload)
    }
    encodeTimes(entries, groups[stripe], isKept: type != .string, with: &encoder, to: &payload)
    let sums = entries.map { Self.sumWords($0.statistics, type: type) }
    encoder.append(sums.map(\.0), kind: type == .float ? .float : .unsigned, to: &payload)
    encoder.append(sums.map(\.1), kind: type == .float ? .float : .unsigned, to: &payload)
    encoder.append(entries.map { $0.statistics.hasNaN ? 1 : 0 }, to: &payload)
    return payload
  }

  /// Times of the first and last value, from the group's first and to its last: zeros where every row has one.
  private func encodeTimes(
    _ entries: [ColumnEntry], _ groups: ArraySlice<RowGroupEntry>, isKept: Bool,
    with encoder: inout SectionEncoder,
    to payload: inout [UInt8]
  ) {
    let pairs = Array(zip(entries, groups))
    func word(_ from: Int64, _ to: Int64, _ entry: ColumnEntry) -> UInt64 {
      isKept && entry.isPresent ? UInt64(bitPattern: to &- from) : 0
    }
    encoder.append(
      pairs.map { word($1.firstTimestamp, $0.statistics.firstTimestamp, $0) }, to: &payload)
    encoder.append(
      pairs.map { word($0.statistics.lastTimestamp, $1.lastTimestamp, $0) }, to: &payload)
  }

  /// A sum as two words: of integers the low and the high half, of floats the pair's bits.
  private static func sumWords(_ statistics: ColumnStatistics, type: FieldType) -> (UInt64, UInt64) {
    if type == .float { return (statistics.floatSum.bitPattern, statistics.floatError.bitPattern) }
    let sum = UInt128(bitPattern: statistics.integerSum)
    return (UInt64(truncatingIfNeeded: sum), UInt64(truncatingIfNeeded: sum >> 64))
  }
}

/// The kind of the words of a field's column.
func columnKind(_ type: FieldType) -> ColumnKind {
  switch type {
  case .float: .float
  case .integer: .integer
  case .unsigned: .unsigned
  case .boolean: .boolean
  case .string: .string
  }
}

extension Collection where Index == Int {
  /// The first index whose element satisfies a condition that holds from some element on; the end if none does.
  func partitioningIndex(_ isPast: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if isPast(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
