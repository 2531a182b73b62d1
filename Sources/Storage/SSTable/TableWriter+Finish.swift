import Coding
import LineProtocol

extension TableWriter {
  /// Writes what is left, index, filter, properties and footer, syncs the file, and says what the manifest needs to know.
  package func finish() throws(StorageError) -> TableState {
    try endSeries()
    try endMeasurement()
    guard properties.rowCount > 0 else {
      throw StorageError(.invalid, file: file.name, "a table without rows is not written")
    }
    properties.measurementCount = directory.count
    let directoryHandle = try writeDirectory()
    let filterHandle = try writeFilter()
    let propertiesHandle = try writeProperties()
    let footer = TableFooter(
      directory: directoryHandle, filter: filterHandle, properties: propertiesHandle,
      fileByteCount: sink.offset + UInt64(TableFooter.byteCount), rowCount: UInt64(properties.rowCount),
      seriesCount: UInt32(properties.seriesCount), measurementCount: UInt32(properties.measurementCount),
      times: properties.firstTimestamp...properties.lastTimestamp, sequences: identity.sequenceRange)
    var bytes: [UInt8] = []
    footer.encode(to: &bytes)
    try sink.appendRaw(bytes)
    try sink.flush()
    try file.sync()
    return TableState(
      number: identity.number, byteCount: footer.fileByteCount, rowCount: properties.rowCount,
      seriesCount: properties.seriesCount, firstTimestamp: footer.firstTimestamp,
      lastTimestamp: footer.lastTimestamp)
  }

  /// Writes the dictionary and the row-group index of the measurement under way behind its rows.
  func endMeasurement() throws(StorageError) {
    guard !dictionary.series.isEmpty else { return }
    try writeShortGroup()
    let start = sink.offset
    var tagKeys: [MeasurementTop.TagKey] = []
    for key in dictionary.tagKeys.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
      tagKeys.append(try writeTagKey(key))
    }
    let series = dictionary.series
    let columns = [
      try writeStripes(series.map { UInt64($0.rowStart) }, kind: .unsigned),
      try writeStripes(series.map { UInt64($0.rowCount) }, kind: .unsigned),
      try writeStripes(series.map { UInt64(bitPattern: $0.firstTimestamp) }, kind: .timestamp),
      try writeStripes(series.map { UInt64(bitPattern: $0.lastTimestamp) }, kind: .timestamp),
    ]
    let stripes = try writeIndex()
    let top = MeasurementTop(
      name: dictionary.measurement, rowCount: measurementRowCount,
      times: measurementTimes.first...measurementTimes.last, fields: fields.sorted.map { fields.keys[$0] },
      tagKeys: tagKeys, seriesColumns: columns, seriesCount: series.count, stripes: stripes,
      extent: start..<sink.offset)
    let offset = sink.offset
    let byteCount = try sink.append(top.encode())
    directory.append((dictionary.measurement, BlockHandle(offset: offset, byteCount: byteCount)))
    properties.firstTimestamp = min(properties.firstTimestamp, measurementTimes.first)
    properties.lastTimestamp = max(properties.lastTimestamp, measurementTimes.last)
    resetMeasurement()
  }

  private func resetMeasurement() {
    dictionary = DictionaryBuilder(measurement: [])
    index = RowGroupIndexBuilder()
    fields = FieldNumbers()
    measurementRowCount = 0
    measurementTimes = (.max, .min)
    pending.removeColumns()
    short.removeColumns()
  }

  /// A column of the dictionary, a block for each 16,384 words.
  private func writeStripes(_ words: [UInt64], kind: ColumnKind) throws(StorageError) -> BlockRun {
    var run = BlockRun(offset: sink.offset)
    for start in stride(from: 0, to: words.count, by: TableFormat.stripeCount) {
      payload.removeAll(keepingCapacity: true)
      let end = min(start + TableFormat.stripeCount, words.count)
      sections.encode(Array(words[start..<end]), kind: kind, into: &payload)
      try sink.append(payload, to: &run)
    }
    return run
  }

  /// Values, codes and, where there are many values, the index of one tag key.
  private func writeTagKey(_ key: DictionaryBuilder.TagKey) throws(StorageError) -> MeasurementTop.TagKey {
    let (order, codes) = key.sortedCodes(seriesCount: dictionary.series.count)
    var top = MeasurementTop.TagKey(name: key.name, valueCount: order.count)
    top.values.offset = sink.offset
    payload.removeAll(keepingCapacity: true)
    var previous = 0..<0
    for (place, index) in order.enumerated() {
      let range = key.values.range(index)
      if payload.isEmpty {
        previous = 0..<0
        top.firstValues.append(Array(key.values.bytes[range]))
      }
      let shared = sharedPrefix(key.values.bytes, previous, range)
      putVarint(shared, to: &payload)
      putText(key.values.bytes[(range.lowerBound + shared)..<range.upperBound], to: &payload)
      previous = range
      if payload.count >= TableFormat.listBlockByteCount || place + 1 == order.count {
        try sink.append(payload, to: &top.values)
        top.firstPlaces.append(place + 1)
        payload.removeAll(keepingCapacity: true)
      }
    }
    top.codes = try writeStripes(codes, kind: .unsigned)
    if top.isIndexed { try writePostings(codes, to: &top) }
    return top
  }

  private func sharedPrefix(_ bytes: [UInt8], _ a: Range<Int>, _ b: Range<Int>) -> Int {
    var shared = 0
    while shared < a.count, shared < b.count, bytes[a.lowerBound + shared] == bytes[b.lowerBound + shared] {
      shared += 1
    }
    return shared
  }

  /// The tag index: ordinals sorted by value and, for each value, where its ordinals end.
  private func writePostings(_ codes: [UInt64], to top: inout MeasurementTop.TagKey) throws(StorageError) {
    var ends = [UInt64](repeating: 0, count: top.valueCount)
    for code in codes where code > 0 { ends[Int(code) - 1] += 1 }
    for place in ends.indices.dropFirst() { ends[place] += ends[place - 1] }
    var next = [UInt64](repeating: 0, count: top.valueCount)
    for place in next.indices.dropFirst() { next[place] = ends[place - 1] }
    var ordinals = [UInt64](repeating: 0, count: Int(ends.last ?? 0))
    for (ordinal, code) in codes.enumerated() where code > 0 {
      ordinals[Int(next[Int(code) - 1])] = UInt64(ordinal)
      next[Int(code) - 1] += 1
    }
    top.postingEnds = try writeStripes(ends, kind: .unsigned)
    top.postings = try writeStripes(ordinals, kind: .unsigned)
  }

  private func writeIndex() throws(StorageError) -> [MeasurementTop.IndexStripe] {
    var stripes: [MeasurementTop.IndexStripe] = []
    var row = 0
    for range in index.stripes {
      let offset = sink.offset
      let byteCount = try sink.append(index.encodeGroups(range, with: &sections))
      var columns = BlockRun(offset: sink.offset)
      for field in fields.sorted {
        let payload = index.encodeColumn(field, type: fields.keys[field].type, range, with: &sections)
        if payload.isEmpty { columns.append(0) } else { try sink.append(payload, to: &columns) }
      }
      stripes.append(
        MeasurementTop.IndexStripe(
          groupCount: range.count, firstRow: row, groups: BlockHandle(offset: offset, byteCount: byteCount),
          columns: columns))
      row += index.groups[range].reduce(0) { $0 + $1.rowCount }
    }
    return stripes
  }

  /// The list of measurements in blocks, and the list of these blocks; returns the handle of the latter.
  private func writeDirectory() throws(StorageError) -> BlockHandle {
    var run = BlockRun(offset: sink.offset)
    var top: [UInt8] = []
    var payload: [UInt8] = []
    for (place, entry) in directory.enumerated() {
      if payload.isEmpty { putText(entry.name, to: &top) }
      putText(entry.name, to: &payload)
      putVarint(Int(entry.handle.offset), to: &payload)
      putVarint(entry.handle.byteCount, to: &payload)
      if payload.count >= TableFormat.listBlockByteCount || place + 1 == directory.count {
        try sink.append(payload, to: &run)
        putVarint(run.byteCounts[run.count - 1], to: &top)
        payload.removeAll(keepingCapacity: true)
      }
    }
    return try writeTop(run, entries: top)
  }

  /// The Bloom filter in blocks, and the list of these blocks; returns the handle of the latter.
  private func writeFilter() throws(StorageError) -> BlockHandle {
    let filter = BloomFilter.make(hashes)
    var run = BlockRun(offset: sink.offset)
    var top: [UInt8] = []
    for start in stride(from: 0, to: filter.count, by: TableFormat.filterBlockByteCount) {
      try sink.append(
        Array(filter[start..<min(start + TableFormat.filterBlockByteCount, filter.count)]), to: &run)
      putVarint(run.byteCounts[run.count - 1], to: &top)
    }
    return try writeTop(run, entries: top)
  }

  /// A list of blocks that lie one behind the other: their number, where the first begins, the entries.
  private func writeTop(_ run: BlockRun, entries: [UInt8]) throws(StorageError) -> BlockHandle {
    var payload: [UInt8] = []
    putVarint(run.count, to: &payload)
    putVarint(Int(run.offset), to: &payload)
    payload.append(contentsOf: entries)
    let offset = sink.offset
    return BlockHandle(offset: offset, byteCount: try sink.append(payload))
  }

  private func writeProperties() throws(StorageError) -> BlockHandle {
    // This block too.
    properties.blockCount = sink.blockCount + 1
    let offset = sink.offset
    return BlockHandle(offset: offset, byteCount: try sink.append(try properties.encode()))
  }
}
