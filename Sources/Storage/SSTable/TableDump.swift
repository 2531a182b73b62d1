import LineProtocol

/// What is in a table, block by block in the order of the file: for people, for `varve inspect`, and beside golden files.
///
/// Each line: offset, stored bytes, compression, what it is. Below it the first bytes of the payload where `payloadByteCount`
/// is above 0, and for what has words of its own (measurement, row groups, statistics, properties) its contents.
package func dumpTable(_ table: Table, payloadByteCount: Int = 0) throws(StorageError) -> String {
  var dump = TableDump(table: table, payloadByteCount: payloadByteCount)
  return try dump.make()
}

private struct TableDump {
  let table: Table
  let payloadByteCount: Int
  var lines: [String] = []
  var readers: [[UInt8]: TableReader] = [:]

  init(table: Table, payloadByteCount: Int) {
    self.table = table
    self.payloadByteCount = payloadByteCount
  }

  mutating func make() throws(StorageError) -> String {
    let footer = table.footer
    lines.append("table, format version \(TableFormat.version), \(footer.fileByteCount) bytes")
    line(0, TableFormat.headerByteCount, "-", "header: magic, format version, CRC32C")
    for block in try table.blocks() { try append(block) }
    line(table.source.end, TableFooter.byteCount, "-", "footer")
    detail("directory at \(footer.directory.offset), \(footer.directory.byteCount) bytes")
    detail("filter at \(footer.filter.offset), \(footer.filter.byteCount) bytes")
    detail("properties at \(footer.properties.offset), \(footer.properties.byteCount) bytes")
    detail("\(footer.rowCount) rows, \(footer.seriesCount) series, \(footer.measurementCount) measurements")
    detail(
      "times \(footer.firstTimestamp)…\(footer.lastTimestamp), batches \(footer.firstSequence)…\(footer.lastSequence)"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  private mutating func append(_ block: TableBlock) throws(StorageError) {
    let stored = try table.source.stored(block.handle)
    let payload = try table.source.block(block.handle, isKept: false).payload
    let compression = stored[stored.count - 5] == 2 ? "snappy" : "none"
    let name = block.measurement.map { text($0) + ": " } ?? ""
    line(block.handle.offset, block.handle.byteCount, compression, name + describe(block.kind))
    if payloadByteCount > 0 {
      let rest = payload.count > payloadByteCount ? " …" : ""
      detail("payload \(payload.count): \(hexadecimal(payload.prefix(payloadByteCount)))\(rest)")
    }
    try appendContents(block, payload)
  }

  private func describe(_ kind: TableBlock.Kind) -> String {
    switch kind {
    case .timestamps(let group): "row group \(group), timestamps"
    case .column(let group, let key, let count):
      "row group \(group), \(text(key.name)) \(key.type), \(count) values"
    case .tagValues(let key, let count): "tag \(text(key)), \(count) values"
    case .tagCodes(let key): "tag \(text(key)), codes of the series"
    case .postingEnds(let key): "tag \(text(key)), index: where each value's series end"
    case .postings(let key): "tag \(text(key)), index: series by value"
    case .rowStarts: "first row of each series"
    case .rowCounts: "rows of each series"
    case .firstTimestamps: "first timestamp of each series"
    case .lastTimestamps: "last timestamp of each series"
    case .groups(let stripe): "row-group index \(stripe)"
    case .statistics(let stripe, let key): "row-group index \(stripe), \(text(key.name)) \(key.type)"
    case .measurement: "measurement"
    case .directory: "directory"
    case .directoryList: "list of the directory's blocks"
    case .filter: "Bloom filter"
    case .filterList: "list of the Bloom filter's blocks"
    case .properties: "properties"
    }
  }

  private mutating func appendContents(_ block: TableBlock, _ payload: [UInt8]) throws(StorageError) {
    switch block.kind {
    case .measurement:
      let top = try table.top(at: block.handle)
      detail(
        "\(top.seriesCount) series, \(top.rowCount) rows, times \(top.firstTimestamp)…\(top.lastTimestamp)")
      detail("fields: " + top.fields.map { "\(text($0.name)) \($0.type)" }.joined(separator: ", "))
      detail("tags: " + top.tagKeys.map { "\(text($0.name)) (\($0.valueCount))" }.joined(separator: ", "))
    case .groups(let number): try appendGroups(block, number)
    case .statistics(let number, let key): try appendStatistics(block, number, key)
    case .properties: detail(text(payload))
    default: break
    }
  }

  private mutating func reader(_ block: TableBlock, _ number: Int) throws(StorageError) -> (
    TableReader, LoadedStripe
  )? {
    guard let name = block.measurement, let top = try table.top(of: name) else { return nil }
    let reader =
      readers[name] ?? TableReader(table: table, measurement: name, fields: top.fields, isKept: false)
    readers[name] = reader
    return (reader, try reader.loadStripe(row: top.stripes[number].firstRow))
  }

  private mutating func appendGroups(_ block: TableBlock, _ number: Int) throws(StorageError) {
    guard let (_, stripe) = try reader(block, number) else { return }
    for (index, group) in stripe.groups.enumerated() {
      detail(
        "row group \(number * TableFormat.indexStripeGroupCount + index): \(group.rowCount) rows of \(group.seriesCount)"
          + " series from \(group.firstSeries), times \(group.firstTimestamp)…\(group.lastTimestamp), at \(group.offset)"
      )
    }
  }

  private mutating func appendStatistics(
    _ block: TableBlock, _ number: Int, _ key: FieldKey
  ) throws(StorageError) {
    guard let (reader, _) = try reader(block, number),
      let field = reader.fields.firstIndex(of: key)
    else { return }
    for (index, entry) in try reader.entries(of: field, withStatistics: true).enumerated()
    where entry.isPresent {
      let statistics = entry.statistics
      let head =
        "row group \(number * TableFormat.indexStripeGroupCount + index): +\(entry.relativeOffset), \(entry.byteCount) bytes,"
        + " encoding \(entry.encoding), \(statistics.count) values"
      guard key.type != .string else {
        detail(head)
        continue
      }
      let words = [statistics.minimum, statistics.maximum, statistics.first, statistics.last].map {
        value($0, key.type)
      }
      detail(
        head + ", \(words[0])…\(words[1]), first \(words[2]), last \(words[3]), sum "
          + (key.type == .float
            ? "\(statistics.floatSum) + \(statistics.floatError)" : "\(statistics.integerSum)"))
    }
  }

  private func value(_ word: UInt64, _ type: FieldType) -> String {
    switch type {
    case .float: "\(Double(bitPattern: word))"
    case .integer: "\(Int64(bitPattern: word))"
    default: "\(word)"
    }
  }

  private mutating func line(_ offset: UInt64, _ byteCount: Int, _ compression: String, _ what: String) {
    func padded(_ value: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - value.count)) + value
    }
    lines.append("\(padded("\(offset)", 8)) \(padded("\(byteCount)", 7)) \(padded(compression, 6))  \(what)")
  }

  private mutating func detail(_ words: String) { lines.append(String(repeating: " ", count: 27) + words) }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
