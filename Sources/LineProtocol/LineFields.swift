/// The fields and the timestamp of one line, as InfluxDB scans them (`models/points.go`: `scanFields`, `walkFields`,
/// `scanTime`), errors in the order in which it finds them.
///
/// Two ways of reading a backslash meet here: while scanning, a backslash and the byte after it are a pair; while names
/// are cut out, a byte is escaped if the one before it is a backslash. Lines where they differ (a doubled backslash before
/// `=`) are read as InfluxDB reads them where it makes sense of them, and refused where it crashes.
struct LineFields {
  struct Field {
    /// The raw name, without the `=`.
    var name: Range<Int>
    var value: LineValue
  }

  private(set) var fields: [Field] = []
  /// Where the timestamp's digits stand; empty if there are none.
  private(set) var timestamp = 0..<0
  /// No name holds a doubled backslash or an escaped newline.
  private(set) var isRegular = true

  private let floats: DecimalFloat

  init(floats: DecimalFloat) { self.floats = floats }

  /// Scans what follows the key that ends at `keyEnd`.
  mutating func scan(_ line: UnsafeBufferPointer<UInt8>, keyStart: Int, keyEnd: Int) throws(LineFault) {
    fields.removeAll(keepingCapacity: true)
    isRegular = true
    let keyCount = keyEnd - keyStart
    if keyCount > LineLimits.keyByteCountMax { throw Self.keyTooLong(keyCount, at: keyEnd) }
    var start = keyEnd
    while unsafe start < line.count && Escaping.isBlank(line[start]) { start += 1 }
    let end = try unsafe scanFields(line, from: start)
    try unsafe cutFields(line, start..<end, keyCount: keyCount)
    try unsafe scanTime(line, from: end)
  }

  private static func keyTooLong(_ count: Int, at offset: Int) -> LineFault {
    LineFault(.limit, at: offset, "max key length exceeded: \(count) > \(LineLimits.keyByteCountMax)")
  }

  /// Finds where the fields end and checks their form and values.
  private func scanFields(_ line: UnsafeBufferPointer<UInt8>, from start: Int) throws(LineFault) -> Int {
    var (position, isQuoted, equalsCount, commaCount) = (start, false, 0, 0)
    // `position` is compared with `count` before each read; `start` is at least 2 (a name and a blank come first).
    scan: while position < line.count {
      let byte = unsafe line[position]
      switch byte {
      case Escaping.backslash where position + 1 < line.count:
        position += 2
        continue
      case Escaping.quote where equalsCount > commaCount:
        isQuoted.toggle()
      case Escaping.equals where !isQuoted:
        equalsCount += 1
        if let end = try unsafe scanValue(line, equals: position, start: start) {
          position = end
          continue
        }
      case Escaping.comma where !isQuoted:
        commaCount += 1
      case Escaping.space where !isQuoted:
        break scan
      default: break
      }
      position += 1
    }
    if isQuoted { throw LineFault(.syntax, at: position, "unbalanced quotes") }
    if equalsCount == 0 || commaCount != equalsCount - 1 {
      throw LineFault(.syntax, at: position, "invalid field format")
    }
    return position
  }

  /// Checks what stands around an `=`; returns where a number or boolean after it ends, `nil` for a string.
  private func scanValue(
    _ line: UnsafeBufferPointer<UInt8>, equals: Int, start: Int
  ) throws(LineFault) -> Int? {
    let before = unsafe line[equals - 1]
    if unsafe equals == start
      || ((before == Escaping.space || before == Escaping.comma) && line[equals - 2] != Escaping.backslash)
    {
      throw LineFault(.syntax, at: equals, "missing field key")
    }
    let value = equals + 1
    guard value < line.count, unsafe line[value] != Escaping.comma, unsafe line[value] != Escaping.space
    else {
      throw LineFault(.syntax, at: equals, "missing field value")
    }
    let first = unsafe line[value]
    if first == Escaping.quote { return nil }
    if LineValue.beginsNumber(first) {
      return try unsafe LineValue.scanNumber(line, from: value, floats).end
    }
    return try unsafe LineValue.scanBoolean(line, from: value).end
  }

  /// Cuts the fields out and reads their values.
  private mutating func cutFields(
    _ line: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, keyCount: Int
  ) throws(LineFault) {
    var position = range.lowerBound
    var fault: LineFault?
    while position < range.upperBound {
      let start = position
      while position < range.upperBound {
        let byte = unsafe line[position]
        if position > start, unsafe line[position - 1] == Escaping.backslash {
          if byte == Escaping.backslash || byte == Escaping.newline { isRegular = false }
        } else if byte == Escaping.equals {
          break
        }
        position += 1
      }
      let name = start..<position
      if position > range.upperBound - 2 {
        let text = unsafe String(decoding: line[name].prefix(Reject.textByteCountMax), as: UTF8.self)
        throw LineFault(.syntax, at: start, "invalid value: field-key=\(text)")
      }
      let end = unsafe LineValue.end(line, position + 1..<range.upperBound)
      if let value = unsafe LineValue(line, position + 1..<end, floats), name.count > 0 {
        fields.append(Field(name: name, value: value))
      } else if fault == nil {
        // The form of all fields is judged first.
        fault = LineFault(.syntax, at: position + 1, "invalid field format")
      }
      if keyCount + 4 + name.count > LineLimits.keyByteCountMax {
        throw Self.keyTooLong(keyCount + 4 + name.count, at: start)
      }
      position = end + 1
    }
    if let fault { throw fault }
    if fields.count > LineLimits.fieldCountMax {
      throw LineFault(.limit, at: range.upperBound, "more than \(LineLimits.fieldCountMax) fields")
    }
  }

  private mutating func scanTime(_ line: UnsafeBufferPointer<UInt8>, from end: Int) throws(LineFault) {
    var position = end
    while unsafe position < line.count && Escaping.isBlank(line[position]) { position += 1 }
    let start = position
    while unsafe position < line.count && line[position] != Escaping.space
      && line[position] != Escaping.newline
    {
      let byte = unsafe line[position]
      let isSign = position == start && byte == UInt8(ascii: "-")
      if !isSign && byte &- UInt8(ascii: "0") > 9 {
        throw LineFault(.timestamp, at: position, "bad timestamp")
      }
      position += 1
    }
    timestamp = start..<position
  }

  /// The timestamp in nanoseconds; `nil` if the line has none.
  func time(_ line: UnsafeBufferPointer<UInt8>, _ precision: Precision) throws(LineFault) -> Int64? {
    if timestamp.isEmpty { return nil }
    let end = timestamp.upperBound
    let text = unsafe UnsafeBufferPointer(rebasing: line[timestamp])
    let units = try unsafe LineValue.signed(text, at: end, .timestamp)
    let (time, isOver) = units.multipliedReportingOverflow(by: precision.unit(of: units))
    // InfluxDB's bounds: the two lowest numbers and the highest are kept free.
    if isOver || time < .min + 2 || time > .max - 1 {
      throw LineFault(
        .timestamp, at: end, "time outside range -9223372036854775806 - 9223372036854775806")
    }
    for position in end..<line.count where unsafe line[position] != Escaping.space {
      throw LineFault(.syntax, at: position, "point is invalid")
    }
    return time
  }

  /// What InfluxDB leaves to storage, and what this store asks beyond it: valid UTF-8.
  func checkNames(_ line: UnsafeBufferPointer<UInt8>) throws(LineFault) {
    for field in fields {
      if unsafe !Escaping.isUTF8(UnsafeBufferPointer(rebasing: line[field.name])) {
        throw LineFault(.utf8, at: field.name.lowerBound, "field name is not valid UTF-8")
      }
      if case .string(let range) = field.value,
        unsafe !Escaping.isUTF8(UnsafeBufferPointer(rebasing: line[range]))
      {
        throw LineFault(.utf8, at: range.lowerBound, "string value is not valid UTF-8")
      }
    }
  }
}

extension Precision {
  /// Nanoseconds a unit of the number `units`, by its magnitude for `auto`.
  @inline(__always) func unit(of units: Int64) -> Int64 {
    if self != .auto { return nanoseconds }
    let magnitude = units.magnitude
    if magnitude < 5_000_000_000 { return 1_000_000_000 }
    if magnitude < 5_000_000_000_000 { return 1_000_000 }
    return magnitude < 5_000_000_000_000_000 ? 1_000 : 1
  }

  /// `time` cut to the precision, towards the past.
  func truncate(_ time: Int64) -> Int64 {
    let rest = time % nanoseconds
    if rest == 0 || time == .min { return time }
    let (floor, isOver) = (time - rest).subtractingReportingOverflow(rest < 0 ? nanoseconds : 0)
    return isOver ? time : floor
  }
}
