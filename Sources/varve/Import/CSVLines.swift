import LineProtocol
import Query

/// Turns records of CSV into lines of line protocol.
struct CSVLines {
  private let mapping: CSVMapping
  private let timeColumn: Int?
  /// In which texts of times without an offset are meant; empty: UTC.
  private let zone: String

  init(_ mapping: CSVMapping, zone: String = "") {
    self.mapping = mapping
    self.zone = zone
    timeColumn = mapping.columns.firstIndex { if case .time = $0.role { true } else { false } }
  }

  /// Appends the line of a record.
  ///
  /// - Returns: why there is none: the cell, from 0, and the reason.
  func append(_ record: CSVReader.Record, to out: inout [UInt8]) -> (cell: Int, reason: String)? {
    guard record.cells.count == mapping.columns.count else {
      return (
        max(0, min(record.cells.count, mapping.columns.count) - 1),
        "\(record.cells.count) cells where the header has \(mapping.columns.count)"
      )
    }
    let start = out.count
    if let refusal = appendAll(record, to: &out) {
      out.removeSubrange(start...)
      return refusal
    }
    return nil
  }

  private func appendAll(_ record: CSVReader.Record, to out: inout [UInt8]) -> (cell: Int, reason: String)? {
    var measurement = mapping.measurement
    for (index, column) in mapping.columns.enumerated() where column.role == .measurement {
      measurement = record.cells[index].text
    }
    LinePrinter.appendMeasurement(measurement, to: &out)
    for (index, column) in mapping.columns.enumerated()
    where column.role == .tag && !record.cells[index].text.isEmpty {
      out.append(UInt8(ascii: ","))
      LinePrinter.appendTag(column.name, to: &out)
      out.append(UInt8(ascii: "="))
      LinePrinter.appendTag(record.cells[index].text, to: &out)
    }
    var separator = UInt8(ascii: " ")
    for (index, column) in mapping.columns.enumerated() {
      guard case .field(let type) = column.role else { continue }
      let cell = record.cells[index]
      // A cell without quotes and text is no value; an empty string has its quotes.
      if cell.text.isEmpty, type != .string || !cell.isQuoted { continue }
      out.append(separator)
      separator = UInt8(ascii: ",")
      LinePrinter.appendFieldName(column.name, to: &out)
      out.append(UInt8(ascii: "="))
      guard appendValue(cell.text, type, to: &out) else {
        return (
          index, "\"\(String(decoding: cell.text.prefix(64), as: UTF8.self))\" is no \(type.name)"
        )
      }
    }
    if separator == UInt8(ascii: " ") { return (0, "no field has a value") }
    if let timeColumn {
      guard let time = time(record.cells[timeColumn].text, mapping.columns[timeColumn].role) else {
        return (
          timeColumn,
          "\"\(String(decoding: record.cells[timeColumn].text.prefix(64), as: UTF8.self))\" is no time"
        )
      }
      out.append(UInt8(ascii: " "))
      LinePrinter.appendInteger(time, to: &out)
    }
    out.append(UInt8(ascii: "\n"))
    return nil
  }

  private func appendValue(_ text: [UInt8], _ type: FieldType, to out: inout [UInt8]) -> Bool {
    let string = String(decoding: text, as: UTF8.self)
    switch type {
    case .float:
      guard let value = Double(string), value.isFinite else { return false }
      return LinePrinter.appendValue(.init(type: .float, word: value.bitPattern), to: &out)
    case .integer:
      guard let value = Int64(string) else { return false }
      return LinePrinter.appendValue(.init(type: .integer, word: UInt64(bitPattern: value)), to: &out)
    case .unsigned:
      guard let value = UInt64(string) else { return false }
      return LinePrinter.appendValue(.init(type: .unsigned, word: value), to: &out)
    case .boolean:
      guard ["true", "false", "t", "f", "1", "0", "yes", "no"].contains(string.lowercased()) else {
        return false
      }
      let isTrue = ["true", "t", "1", "yes"].contains(string.lowercased())
      return LinePrinter.appendValue(.init(type: .boolean, word: isTrue ? 1 : 0), to: &out)
    case .string: return LinePrinter.appendValue(.init(string: text[...]), to: &out)
    }
  }

  private func time(_ text: [UInt8], _ role: CSVMapping.Role) -> Int64? {
    let string = String(decoding: text, as: UTF8.self)
    if let number = Int64(string) {
      guard case .time(let unit?) = role else { return TimeRange.instant(number) }
      let product = number.multipliedReportingOverflow(by: unit.nanoseconds)
      return product.overflow ? nil : product.partialValue
    }
    // Seconds with a fraction, as many programs write them.
    if let number = Double(string), number.isFinite {
      let unit: Int64 = if case .time(let unit?) = role { unit.nanoseconds } else { 1_000_000_000 }
      let product = number * Double(unit)
      return product.magnitude < 9.2e18 ? Int64(product) : nil
    }
    return QueryTime.parse(string, zone: zone)
  }
}
