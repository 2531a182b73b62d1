import LineProtocol
package import Storage

/// Writes line protocol to a store and reads it back as text: what tests of the whole store compare.
package final class StoreDriver {
  package let store: Store
  private let receiver: Receiver
  private let parser: LineParser
  private let batch = LineBatch()

  package init(_ store: Store) {
    self.store = store
    receiver = store.makeReceiver()
    parser = LineParser(vocabulary: receiver.vocabulary)
  }

  /// Commits lines as one batch, and returns what became of it without waiting for durability.
  @discardableResult package func write(
    _ lines: String, database: String = "metrics", policy: String? = nil
  ) throws -> CommitResult {
    batch.reset()
    var text = Array(lines.utf8)
    text.withUnsafeMutableBytes { bytes in
      _ = parser.parse(UnsafeRawBufferPointer(bytes), now: 0, into: batch)
    }
    precondition(batch.rejectCount == 0, "test lines are refused: \(batch.rejects)")
    return try receiver.commit(batch, to: store.target(database: database, policy: policy))
  }

  /// The same, and waits until it is durable.
  @discardableResult package func writeDurably(_ lines: String, database: String = "metrics") throws -> CommitResult {
    let result = try write(lines, database: database)
    try store.wait(for: result.ticket)
    return result
  }

  /// Every point that can be read: `measurement,tag=value field=value time`, a line a field, sorted.
  package func dump(database: String = "metrics", policy: String? = nil) throws -> [String] {
    try dump(of: store.snapshot(of: store.keyspace(database: database, policy: policy)))
  }

  /// The same of what a snapshot holds.
  package func dump(of snapshot: Snapshot) throws -> [String] {
    var out: [String] = []
    let times = snapshot.floor..<Int64.max
    for window in snapshot.windows {
      for measurement in try window.measurements() {
        let columns = try window.fields(of: measurement).map { ScanColumn(name: $0.name, type: $0.type) }
        let series = try window.series(of: measurement, where: nil, times: times)
        let scanner = SeriesScanner(
          window: window, series: series, measurement: measurement, columns: columns, times: times, convertsNumbers: false)
        var batch = scanner.makeBatch()
        for index in 0..<series.count {
          let parts = try series.key(index).parts
          let name = ([text(parts.measurement)] + parts.tags.map { "\(text($0.key))=\(text($0.value))" })
            .joined(separator: ",")
          try scanner.begin(index)
          while try scanner.next() != nil {
            try scanner.read(into: &batch)
            append(batch, name: name, to: &out)
          }
        }
      }
    }
    return out.sorted()
  }

  private func append(_ batch: ColumnBatch, name: String, to out: inout [String]) {
    for column in batch.columns where column.presentCount > 0 {
      for row in 0..<batch.count where column.isPresent(row) {
        let word = column.values[row]
        let value =
          switch column.key.type {
          case .float: "\(Double(bitPattern: word))"
          case .integer: "\(Int64(bitPattern: word))i"
          case .unsigned: "\(word)u"
          case .boolean: word == 0 ? "false" : "true"
          case .string: "\"\(text(column.string(row)))\""
          }
        out.append("\(name) \(text(column.key.name[...]))=\(value) \(batch.timestamps[row])")
      }
    }
  }

  private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
