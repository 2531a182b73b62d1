import LineProtocol
import Storage

/// Points as line protocol: what `varve import` and InfluxDB take, exact to the bit.
struct LineExportWriter: ExportWriter {
  private var names: [[UInt8]] = []
  private var types: [FieldType] = []
  private var fields: [FieldKey] = []
  /// Measurement and tags of the series; `nil` where line protocol cannot write them.
  private var head: [UInt8]?

  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer
  ) {
    types = columns.map(\.type)
    fields = Set(columns.map(\.name)).map { FieldKey(name: $0, type: .float) }
    names = columns.map { column in
      var name: [UInt8] = []
      LinePrinter.appendFieldName(column.name, to: &name)
      return name + [UInt8(ascii: "=")]
    }
  }

  mutating func begin(series tags: SeriesTags) { head = LineWriter(key: tags.key, fields: fields).head }

  mutating func append(
    _ batch: borrowing ColumnBatch, isChosen: (Int) -> Bool, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int) {
    var counts = (written: 0, unwritable: 0)
    let fixedByteCount =
      (head?.count ?? 0) + names.reduce(0) { $0 + $1.count + TextBuffer.numberByteCountMax } + 32
    for row in 0..<batch.count where isChosen(row) {
      guard let head else {
        counts.unwritable += 1
        continue
      }
      out.reserve(fixedByteCount + stringByteCount(batch, row))
      out.append(head)
      var separator = UInt8(ascii: " ")
      for index in names.indices where batch.columns[index].isPresent(row) {
        out.append(separator)
        out.append(names[index])
        append(batch.columns[index], row, types[index], to: &out)
        separator = UInt8(ascii: ",")
      }
      out.append(UInt8(ascii: " "))
      out.append(batch.timestamps[row])
      out.append(UInt8(ascii: "\n"))
      counts.written += 1
    }
    return counts
  }

  /// Each byte of a string may be escaped.
  private func stringByteCount(_ batch: borrowing ColumnBatch, _ row: Int) -> Int {
    var count = 0
    for index in types.indices where types[index] == .string && batch.columns[index].isPresent(row) {
      count += 2 * batch.columns[index].string(row).count
    }
    return count
  }

  @inline(__always)
  private func append(_ column: borrowing Column, _ row: Int, _ type: FieldType, to out: inout TextBuffer) {
    guard type != .string else {
      out.append(UInt8(ascii: "\""))
      for byte in column.string(row) {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
        out.append(byte)
      }
      return out.append(UInt8(ascii: "\""))
    }
    out.appendNumber(column.values[row], type)
    if type == .integer { out.append(UInt8(ascii: "i")) }
    if type == .unsigned { out.append(UInt8(ascii: "u")) }
  }
}
