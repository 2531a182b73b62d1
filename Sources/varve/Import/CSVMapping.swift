package import LineProtocol
import Query

/// What the columns of a CSV file are: `weather: when=time:s, station=tag, temp_c=float>temperature, *=skip`.
///
/// The text names the measurement, then for each column of the header its role, and behind `>` a name other than the header's:
/// - `time`, with the unit of its numbers (`time:ns`, `us`, `ms`, `s`; without one by their size); texts of times as InfluxQL takes them;
/// - `tag`; `measurement`, which names each row's own; `skip`;
/// - a field of a type: `float`, `integer`, `unsigned`, `boolean`, `string`.
/// `*` is every column that is not named. `auto` finds all that out: from a header that `varve export --format csv` wrote exactly; else the
/// measurement is the file's name, and the first rows say what the columns are.
package struct CSVMapping: Equatable {
  package enum Role: Equatable {
    /// `nil`: by the size of the number.
    case time(Precision?)
    case tag
    case measurement
    case field(FieldType)
    case skip
  }
  package struct Column: Equatable {
    package var name: [UInt8]
    package var role: Role

    package init(name: [UInt8], role: Role) { (self.name, self.role) = (name, role) }
  }
  /// Empty: a column names it.
  package var measurement: [UInt8]
  /// By place in the header.
  package var columns: [Column]

  package init(measurement: [UInt8], columns: [Column]) {
    (self.measurement, self.columns) = (measurement, columns)
  }

  /// Applies the text of a mapping to a header.
  ///
  /// - Throws: `CommandFailure` for a text that is none, or names what the header has not.
  package init(_ text: String, header: [CSVReader.Cell]) throws {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let hasName = parts.count == 2 && !parts[0].contains("=")
    measurement = hasName ? Array(parts[0].trimmed.utf8) : []
    var roles: [String: (role: Role, name: String)] = [:]
    for item in (hasName ? parts[1] : Substring(text)).split(separator: ",") {
      let pair = item.split(separator: "=", maxSplits: 1).map(\.trimmed)
      guard pair.count == 2 else { throw CommandFailure("--csv: \"\(item.trimmed)\" is not COLUMN=ROLE") }
      let target = pair[1].split(separator: ">", maxSplits: 1).map(\.trimmed)
      guard roles[pair[0]] == nil else { throw CommandFailure("--csv: \(pair[0]) is named twice") }
      roles[pair[0]] = (try Self.role(target[0]), target.count > 1 ? target[1] : pair[0])
    }
    let names = header.map { String(decoding: $0.text, as: UTF8.self) }
    for name in roles.keys.sorted() where name != "*" && !names.contains(name) {
      throw CommandFailure("--csv: the header has no column \"\(name)\": \(names.joined(separator: ", "))")
    }
    let others = roles["*"]?.role ?? .skip
    columns = names.map { name in
      roles[name].map { Column(name: Array($0.name.utf8), role: $0.role) }
        ?? Column(name: Array(name.utf8), role: others)
    }
    try check()
  }

  private static func role(_ text: String) throws -> Role {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    switch parts.first {
    case "time":
      guard parts.count > 1 else { return .time(nil) }
      guard let unit = Precision(parts[1]), unit != .auto else {
        throw CommandFailure("--csv: no unit \"\(parts[1])\": ns, us, ms, s")
      }
      return .time(unit)
    case "tag": return .tag
    case "measurement": return .measurement
    case "skip": return .skip
    default:
      guard let type = FieldType(named: text) else {
        throw CommandFailure(
          "--csv: no role \"\(text)\": time, tag, measurement, float, integer, unsigned, boolean, string, skip"
        )
      }
      return .field(type)
    }
  }

  private func check() throws {
    guard !measurement.isEmpty || columns.contains(where: { $0.role == .measurement }) else {
      throw CommandFailure(
        "--csv: no measurement: begin with its name and a colon, or give a column the role measurement")
    }
    guard columns.contains(where: { if case .field = $0.role { true } else { false } }) else {
      throw CommandFailure("--csv: no column is a field")
    }
  }

  // MARK: Found out

  /// The mapping that a header of `varve export --format csv` says; `nil` for any other.
  package static func exported(_ header: [CSVReader.Cell]) throws -> CSVMapping? {
    let mark = Array("#measurement ".utf8)
    guard let first = header.first, first.text.starts(with: mark), header.count > 1 else { return nil }
    var columns = [Column(name: [], role: .skip)]
    for cell in header.dropFirst() {
      let text = String(decoding: cell.text, as: UTF8.self)
      if columns.count == 1, text == "time" {
        columns.append(Column(name: [], role: .time(.nanoseconds)))
        continue
      }
      // A tag's key may hold a colon too: a field's is the last, and has a type behind it.
      let colon = cell.text.lastIndex(of: UInt8(ascii: ":"))
      if let colon, let type = FieldType(named: String(decoding: cell.text[(colon + 1)...], as: UTF8.self)) {
        columns.append(Column(name: Array(cell.text[..<colon]), role: .field(type)))
      } else {
        columns.append(Column(name: cell.text, role: .tag))
      }
    }
    return CSVMapping(measurement: Array(first.text.dropFirst(mark.count)), columns: columns)
  }

  /// The mapping that the first rows of a file suggest: numbers are fields, other texts tags, and a column of times, by its name, is the time.
  package static func guessed(_ header: [CSVReader.Cell], _ rows: [CSVReader.Record], file: String) throws
    -> CSVMapping
  {
    let base = file.split(separator: "/").last ?? "csv"
    let name = base.split(separator: ".").first ?? "csv"
    var columns: [Column] = []
    var hasTime = false
    for (index, cell) in header.enumerated() {
      let texts = rows.compactMap {
        index < $0.cells.count && !$0.cells[index].text.isEmpty ? $0.cells[index].text : nil
      }
      let isTime =
        !hasTime
        && ["time", "timestamp", "ts", "date", "datetime", "when"].contains(
          String(decoding: cell.text, as: UTF8.self).lowercased())
      if isTime { hasTime = true }
      columns.append(Column(name: cell.text, role: isTime ? .time(nil) : role(of: texts)))
    }
    let mapping = CSVMapping(measurement: Array(name.utf8), columns: columns)
    guard hasTime else {
      let names = header.prefix(16).map { String(decoding: $0.text.prefix(64), as: UTF8.self) }
        .joined(separator: ", ")
      throw CommandFailure(
        "\(file): no column is named time, timestamp, ts, date, datetime or when: say with --csv which it is; its first line names: \(names)"
      )
    }
    guard !rows.isEmpty else { throw CommandFailure("\(file): no row stands behind the header") }
    try mapping.check()
    return mapping
  }

  private static func role(of texts: [[UInt8]]) -> Role {
    guard !texts.isEmpty else { return .skip }
    let strings = texts.map { String(decoding: $0, as: UTF8.self) }
    if strings.allSatisfy({ $0 == "true" || $0 == "false" }) { return .field(.boolean) }
    // One that is none among many numbers is told when its row is refused.
    return 2 * strings.count { Double($0)?.isFinite == true } > strings.count ? .field(.float) : .tag
  }
}
