import LineProtocol

/// Where everything of one measurement lies in a table: the root of its dictionary and of its row-group index.
///
/// What belongs to a measurement lies behind its rows in one stretch, in the order of the properties below, and before this
/// block itself; so it takes one offset and the blocks' lengths.
final class MeasurementTop: Sendable {
  /// One tag key: its values in order, and each series' code.
  struct TagKey: Sendable {
    var name: [UInt8]
    var valueCount: Int
    /// The values, front-coded.
    var values = BlockRun()
    /// The first value of each block of values.
    var firstValues: [[UInt8]] = []
    /// The place of that value in order; one more at the end: `valueCount`.
    var firstPlaces: [Int] = [0]
    /// A code for each series: 0 for absent, else the value's place plus one.
    var codes = BlockRun()
    /// With more than 4,096 values: for each value in order the end of its ordinals; and the ordinals.
    var postingEnds = BlockRun()
    var postings = BlockRun()

    var isIndexed: Bool { valueCount > TableFormat.indexedValueCount }
  }

  /// Up to 1,024 row groups of the index.
  struct IndexStripe: Sendable {
    var groupCount: Int
    /// Row of the measurement at which its first group begins.
    var firstRow: Int
    var groups: BlockHandle
    /// One for each field; 0 bytes where no group of the stripe has it.
    var columns: BlockRun
  }

  let name: [UInt8]
  let seriesCount: Int
  let rowCount: Int
  let firstTimestamp: Int64
  let lastTimestamp: Int64
  /// Sorted by name, then type.
  let fields: [FieldKey]
  /// Sorted by name.
  let tagKeys: [TagKey]
  let rowStarts: BlockRun
  let rowCounts: BlockRun
  let firstTimestamps: BlockRun
  let lastTimestamps: BlockRun
  let stripes: [IndexStripe]
  /// Where its first block begins, and where the last ends.
  let extent: Range<UInt64>

  var rowGroupCount: Int { stripes.reduce(0) { $0 + $1.groupCount } }

  init(
    name: [UInt8], rowCount: Int, times: ClosedRange<Int64>, fields: [FieldKey], tagKeys: [TagKey],
    seriesColumns: [BlockRun], seriesCount: Int, stripes: [IndexStripe], extent: Range<UInt64>
  ) {
    self.name = name
    self.seriesCount = seriesCount
    self.rowCount = rowCount
    firstTimestamp = times.lowerBound
    lastTimestamp = times.upperBound
    self.fields = fields
    self.tagKeys = tagKeys
    rowStarts = seriesColumns[0]
    rowCounts = seriesColumns[1]
    firstTimestamps = seriesColumns[2]
    lastTimestamps = seriesColumns[3]
    self.stripes = stripes
    self.extent = extent
  }

  /// The payload of its block.
  func encode() -> [UInt8] {
    var payload: [UInt8] = []
    putText(name, to: &payload)
    putVarint(seriesCount, to: &payload)
    putVarint(rowCount, to: &payload)
    putSigned(firstTimestamp, to: &payload)
    putSigned(lastTimestamp, to: &payload)
    putVarint(fields.count, to: &payload)
    for field in fields {
      putText(field.name, to: &payload)
      payload.append(field.type.rawValue)
    }
    putVarint(Int(extent.lowerBound), to: &payload)
    putVarint(tagKeys.count, to: &payload)
    for key in tagKeys { Self.encode(key, to: &payload) }
    for run in [rowStarts, rowCounts, firstTimestamps, lastTimestamps] { putBlockRun(run, to: &payload) }
    putVarint(stripes.count, to: &payload)
    for stripe in stripes {
      putVarint(stripe.groupCount, to: &payload)
      putVarint(stripe.firstRow, to: &payload)
      putVarint(stripe.groups.byteCount, to: &payload)
      for byteCount in stripe.columns.byteCounts { putVarint(byteCount, to: &payload) }
    }
    return payload
  }

  private static func encode(_ key: TagKey, to payload: inout [UInt8]) {
    putText(key.name, to: &payload)
    putVarint(key.valueCount, to: &payload)
    putBlockRun(key.values, to: &payload)
    for (index, value) in key.firstValues.enumerated() {
      putText(value, to: &payload)
      putVarint(key.firstPlaces[index + 1] - key.firstPlaces[index], to: &payload)
    }
    putBlockRun(key.codes, to: &payload)
    if key.isIndexed {
      putBlockRun(key.postingEnds, to: &payload)
      putBlockRun(key.postings, to: &payload)
    }
  }

  /// Reads a payload; every count is checked against the others, blocks must end where this one begins.
  init(decoding reader: inout PayloadReader) throws(StorageError) {
    name = try reader.text()
    // Each series has at least one row, and a row costs bytes of a file: both stay far below these bounds.
    seriesCount = try reader.count("series", max: Int(UInt32.max))
    rowCount = try reader.count("rows", max: 1 << 48)
    firstTimestamp = try reader.signed()
    lastTimestamp = try reader.signed()
    fields = try Self.fields(&reader)
    let begin = try reader.varint()
    guard begin >= UInt64(TableFormat.headerByteCount), begin <= reader.handle.offset else {
      throw reader.corrupt("expected dictionary blocks before \(reader.handle.offset), found \(begin)")
    }
    var end = begin
    var keys: [TagKey] = []
    for _ in 0..<(try reader.count("tag keys")) {
      let key = try Self.tagKey(&reader, from: &end, seriesCount: seriesCount)
      if let last = keys.last, !last.name.lexicographicallyPrecedes(key.name) {
        throw reader.corrupt("tag keys are out of order")
      }
      keys.append(key)
    }
    tagKeys = keys
    rowStarts = try Self.stripes(&reader, from: &end, count: seriesCount)
    rowCounts = try Self.stripes(&reader, from: &end, count: seriesCount)
    firstTimestamps = try Self.stripes(&reader, from: &end, count: seriesCount)
    lastTimestamps = try Self.stripes(&reader, from: &end, count: seriesCount)
    stripes = try Self.indexStripes(&reader, from: &end, fieldCount: fields.count, rowCount: rowCount)
    guard reader.isAtEnd, end == reader.handle.offset else {
      throw reader.corrupt("expected blocks to end at \(reader.handle.offset), found \(end)")
    }
    guard seriesCount > 0, rowCount >= seriesCount, firstTimestamp <= lastTimestamp, !stripes.isEmpty else {
      throw reader.corrupt(
        "\(seriesCount) series with \(rowCount) rows from \(firstTimestamp) to \(lastTimestamp)")
    }
    extent = begin..<end
  }

  private static func fields(_ reader: inout PayloadReader) throws(StorageError) -> [FieldKey] {
    var fields: [FieldKey] = []
    for _ in 0..<(try reader.count("fields")) {
      let name = try reader.text()
      let place = try reader.take(1)
      guard let type = FieldType(rawValue: reader.payload[place.lowerBound]) else {
        throw reader.corrupt("expected a field type 1 to 5, found \(reader.payload[place.lowerBound])")
      }
      let field = FieldKey(name: name, type: type)
      if let last = fields.last, !precedes(last, field) { throw reader.corrupt("fields are out of order") }
      fields.append(field)
    }
    return fields
  }

  private static func tagKey(
    _ reader: inout PayloadReader, from end: inout UInt64, seriesCount: Int
  ) throws(StorageError) -> TagKey {
    var key = TagKey(name: try reader.text(), valueCount: 0)
    key.valueCount = try reader.count("tag values", max: seriesCount)
    key.values = try reader.blockRun(from: &end)
    for _ in 0..<key.values.count {
      key.firstValues.append(try reader.text())
      let values = try reader.count("values of a block", max: key.valueCount)
      key.firstPlaces.append(key.firstPlaces[key.firstPlaces.count - 1] + values)
    }
    guard key.firstPlaces.last == key.valueCount else {
      throw reader.corrupt("expected \(key.valueCount) tag values, found \(key.firstPlaces.last ?? 0)")
    }
    key.codes = try stripes(&reader, from: &end, count: seriesCount)
    if key.isIndexed {
      key.postingEnds = try stripes(&reader, from: &end, count: key.valueCount)
      key.postings = try reader.blockRun(from: &end)
    }
    return key
  }

  /// The blocks of a column of `count` values: one for each 16,384.
  private static func stripes(
    _ reader: inout PayloadReader, from end: inout UInt64, count: Int
  ) throws(StorageError) -> BlockRun {
    let run = try reader.blockRun(from: &end)
    let expected = (count + TableFormat.stripeCount - 1) / TableFormat.stripeCount
    guard run.count == expected else {
      throw reader.corrupt("expected \(expected) blocks, found \(run.count)")
    }
    return run
  }

  private static func indexStripes(
    _ reader: inout PayloadReader, from end: inout UInt64, fieldCount: Int, rowCount: Int
  ) throws(StorageError) -> [IndexStripe] {
    var stripes: [IndexStripe] = []
    let count = try reader.count("stripes")
    for index in 0..<count {
      let groupCount = try reader.count("row groups", max: TableFormat.indexStripeGroupCount)
      let firstRow = try reader.count("rows", max: rowCount)
      let handle = BlockHandle(offset: end, byteCount: try reader.blockByteCount())
      var columns = BlockRun(offset: handle.end)
      for _ in 0..<fieldCount {
        let byteCount = try reader.count("bytes of a block", max: TableFormat.blockByteCountMax)
        guard byteCount == 0 || byteCount >= TableFormat.trailerByteCount else {
          throw reader.corrupt("expected a block of 5 bytes or more, found \(byteCount)")
        }
        columns.append(byteCount)
      }
      let isFull = groupCount == TableFormat.indexStripeGroupCount || index == count - 1
      guard groupCount > 0, isFull, firstRow > (stripes.last?.firstRow ?? -1), index > 0 || firstRow == 0
      else {
        throw reader.corrupt("stripe of \(groupCount) row groups from row \(firstRow)")
      }
      end = handle.end &+ (columns.starts[fieldCount])
      stripes.append(
        IndexStripe(groupCount: groupCount, firstRow: firstRow, groups: handle, columns: columns))
    }
    return stripes
  }
}

/// The order of a measurement's fields: by name, then type.
func precedes(_ a: FieldKey, _ b: FieldKey) -> Bool {
  a.name == b.name ? a.type < b.type : a.name.lexicographicallyPrecedes(b.name)
}
