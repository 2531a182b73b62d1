import LineProtocol
import Storage

/// An object a point: `{"name":"cpu","tags":{"host":"a"},"time":1700000000000000000,"fields":{"usage":1.5}}`.
struct JSONLinesExportWriter: ExportWriter {
  private var measurement: [UInt8] = []
  private var names: [[UInt8]] = []
  private var types: [FieldType] = []
  /// What stands before the time.
  private var head: [UInt8] = []

  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer
  ) {
    self.measurement = measurement
    types = columns.map(\.type)
    names = columns.map { Self.string($0.name[...]) + [UInt8(ascii: ":")] }
  }

  mutating func begin(series tags: SeriesTags) {
    head = Array("{\"name\":".utf8) + Self.string(measurement[...]) + Array(",\"tags\":{".utf8)
    var isFirst = true
    tags.visit { key, value in
      if !isFirst { head.append(UInt8(ascii: ",")) }
      isFirst = false
      head += Self.string(key) + [UInt8(ascii: ":")] + Self.string(value)
      return true
    }
    head += Array("},\"time\":".utf8)
  }

  mutating func append(
    _ batch: borrowing ColumnBatch, isChosen: (Int) -> Bool, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int) {
    var count = 0
    let fixedByteCount = head.count + names.reduce(0) { $0 + $1.count + TextBuffer.numberByteCountMax } + 64
    for row in 0..<batch.count where isChosen(row) {
      out.reserve(fixedByteCount)
      out.append(head)
      out.append(batch.timestamps[row])
      out.append(Self.fields)
      var isFirst = true
      for index in names.indices where batch.columns[index].isPresent(row) {
        if !isFirst { out.append(UInt8(ascii: ",")) }
        isFirst = false
        out.append(names[index])
        if types[index] == .string {
          let text = Self.string(batch.columns[index].string(row))
          out.reserve(text.count + fixedByteCount)
          out.append(text)
        } else {
          out.appendNumber(batch.columns[index].values[row], types[index])
        }
      }
      out.append(Self.end)
      count += 1
    }
    return (count, 0)
  }

  private static let fields = Array(",\"fields\":{".utf8)
  private static let end = Array("}}\n".utf8)

  private static func string(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.appendJSONString(text)
    return out
  }
}
