import Coding
import LineProtocol

extension Table {
  /// Reads the whole file anew and checks every checksum and invariant: blocks lie side by side without a gap; names, series
  /// and timestamps ascend; row ranges, times, counts, statistics, tag index and Bloom filter are those of the rows.
  ///
  /// Throws at the first thing that is wrong, `.corrupt` with file and offset. Costs a full decode of the table.
  package func verify() throws(StorageError) {
    // A cache of its own: what another holds may be better than what is on the disk.
    let fresh = try Table.open(file: source.file, state: state, cache: BlockCache(byteCountMax: 16 << 20))
    let blocks = try fresh.blocks()
    try fresh.checkExtents(blocks)
    for block in blocks { _ = try fresh.source.block(block.handle, isKept: false) }
    let properties = try fresh.properties()
    var totals = VerifiedTotals()
    var last: [UInt8]?
    for name in try fresh.measurements() {
      if let last, !last.lexicographicallyPrecedes(name) {
        throw source.corrupt(footer.directory, "measurements are out of order")
      }
      guard let top = try fresh.top(of: name) else {
        throw source.corrupt(footer.directory, "measurement \(hexadecimal(name)) is listed and not found")
      }
      var check = MeasurementCheck(table: fresh, top: top)
      try check.run(&totals)
      last = name
    }
    try fresh.verifyTotals(totals, properties, blockCount: blocks.count)
  }

  private func verifyTotals(
    _ totals: VerifiedTotals, _ properties: TableProperties, blockCount: Int
  ) throws(StorageError) {
    func check(_ what: StaticString, _ found: Int, _ stated: [Int]) throws(StorageError) {
      for value in stated where value != found {
        throw source.corrupt(footer.properties, "expected \(value) \(what), found \(found)")
      }
    }
    try check("rows", totals.rowCount, [properties.rowCount, Int(footer.rowCount)])
    try check("series", totals.seriesCount, [properties.seriesCount, Int(footer.seriesCount)])
    try check(
      "measurements", totals.measurementCount, [properties.measurementCount, Int(footer.measurementCount)])
    try check("row groups", totals.groupCount, [properties.rowGroupCount])
    try check("values", totals.valueCount, [properties.valueCount])
    try check("blocks", blockCount, [properties.blockCount])
    try check(
      "as first timestamp", Int(totals.firstTimestamp),
      [Int(properties.firstTimestamp), Int(footer.firstTimestamp)])
    try check(
      "as last timestamp", Int(totals.lastTimestamp),
      [Int(properties.lastTimestamp), Int(footer.lastTimestamp)])
    // Number, keyspace and names are those under which it was written: one that was restored has others.
    guard properties.firstSequence == footer.firstSequence, properties.lastSequence == footer.lastSequence
    else {
      throw source.corrupt(
        footer.properties,
        "properties are of batches \(properties.firstSequence)…\(properties.lastSequence)"
      )
    }
  }
}

/// What the measurements add up to.
struct VerifiedTotals {
  var rowCount = 0
  var seriesCount = 0
  var measurementCount = 0
  var groupCount = 0
  var valueCount = 0
  var firstTimestamp = Int64.max
  var lastTimestamp = Int64.min
}
