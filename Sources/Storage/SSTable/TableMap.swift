import Coding
import LineProtocol

/// One block of a table: where it lies and what it is.
struct TableBlock {
  enum Kind {
    case timestamps(group: Int)
    case column(group: Int, FieldKey, count: Int)
    case tagValues(key: [UInt8], count: Int)
    case tagCodes(key: [UInt8])
    case postingEnds(key: [UInt8])
    case postings(key: [UInt8])
    case rowStarts, rowCounts, firstTimestamps, lastTimestamps
    case groups(stripe: Int)
    case statistics(stripe: Int, FieldKey)
    case measurement
    case directory, directoryList
    case filter, filterList
    case properties
  }

  var handle: BlockHandle
  var measurement: [UInt8]?
  var kind: Kind
}

extension Table {
  /// Every block of the table, by offset. Reads the dictionary's and the index's tops, not the rows.
  func blocks() throws(StorageError) -> [TableBlock] {
    var blocks: [TableBlock] = []
    let directory = try directory()
    for index in 0..<directory.run.count {
      let handle = directory.run.handle(index)
      blocks.append(TableBlock(handle: handle, kind: .directory))
      for entry in try entries(handle) { try appendBlocks(of: entry.top, to: &blocks) }
    }
    blocks.append(TableBlock(handle: footer.directory, kind: .directoryList))
    let filter = try filter()
    for index in 0..<filter.count { blocks.append(TableBlock(handle: filter.handle(index), kind: .filter)) }
    blocks.append(TableBlock(handle: footer.filter, kind: .filterList))
    blocks.append(TableBlock(handle: footer.properties, kind: .properties))
    return blocks.sorted { $0.handle.offset < $1.handle.offset }
  }

  /// Those of the measurement whose top lies at `handle`.
  func appendBlocks(of handle: BlockHandle, to blocks: inout [TableBlock]) throws(StorageError) {
    let top = try top(at: handle)
    func add(_ handle: BlockHandle, _ kind: TableBlock.Kind) {
      blocks.append(TableBlock(handle: handle, measurement: top.name, kind: kind))
    }
    func add(_ run: BlockRun, _ kind: TableBlock.Kind) {
      for index in 0..<run.count { add(run.handle(index), kind) }
    }
    add(handle, .measurement)
    for key in top.tagKeys {
      for index in 0..<key.values.count {
        add(
          key.values.handle(index),
          .tagValues(key: key.name, count: key.firstPlaces[index + 1] - key.firstPlaces[index]))
      }
      add(key.codes, .tagCodes(key: key.name))
      add(key.postingEnds, .postingEnds(key: key.name))
      add(key.postings, .postings(key: key.name))
    }
    add(top.rowStarts, .rowStarts)
    add(top.rowCounts, .rowCounts)
    add(top.firstTimestamps, .firstTimestamps)
    add(top.lastTimestamps, .lastTimestamps)
    let reader = TableReader(table: self, measurement: top.name, fields: top.fields, isKept: false)
    for (number, stripe) in top.stripes.enumerated() {
      add(stripe.groups, .groups(stripe: number))
      let loaded = try reader.loadStripe(row: stripe.firstRow)
      for (group, entry) in loaded.groups.enumerated() {
        let place = number * TableFormat.indexStripeGroupCount + group
        add(BlockHandle(offset: entry.offset, byteCount: entry.timestampByteCount), .timestamps(group: place))
      }
      for (field, key) in top.fields.enumerated() where stripe.columns.byteCounts[field] > 0 {
        add(stripe.columns.handle(field), .statistics(stripe: number, key))
        for (group, entry) in try reader.entries(of: field, withStatistics: true).enumerated()
        where entry.isPresent {
          let place = number * TableFormat.indexStripeGroupCount + group
          add(
            BlockHandle(
              offset: loaded.groups[group].offset &+ UInt64(entry.relativeOffset), byteCount: entry.byteCount),
            .column(group: place, key, count: entry.statistics.count))
        }
      }
    }
  }
}
