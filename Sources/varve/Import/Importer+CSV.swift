import LineProtocol

extension Importer {
  /// Reads a file of CSV to its end. A record that does not fit is refused, with the line and the column of the cell; the others are taken.
  ///
  /// - Parameter mapping: a mapping's text, or `auto`.
  package mutating func takeCSV(_ name: String, mapping: String) throws {
    let file = try InputFile(name)
    try target.use(database: options.database, policy: options.policy)
    var reading = CSVReading(name: name, mapping: mapping)
    _ = try file.peek(3)
    var buffer = [UInt8](repeating: 0, count: options.batchByteCount)
    var isLast = false
    while !isLast {
      let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
      isLast = count == 0
      unsafe buffer.withUnsafeBytes { bytes in
        unsafe reading.reader.add(UnsafeRawBufferPointer(rebasing: bytes[..<count]), isLast: isLast)
      }
      do {
        while let record = try reading.reader.next() { try take(record, &reading) }
      } catch let failure as CSVReader.Failure {
        if !reading.sample.isEmpty { try settle(&reading) }
        try send(&reading)
        throw CommandFailure(
          "\(name):\(failure.line):\(failure.column): \(failure.reason); what stands before it is taken")
      }
      if isLast { try settle(&reading) }
      try send(&reading)
      progress.show(file, acceptedCount, rejectedCount)
    }
    try place.finish(name)
    progress.clear()
  }

  private mutating func take(_ record: CSVReader.Record, _ reading: inout CSVReading) throws {
    if reading.header == nil || record.cells.first?.text.starts(with: "#measurement ".utf8) == true {
      try begin(record, &reading)
    } else if reading.lines == nil {
      reading.sample.append(record)
      if reading.sample.count == CSVReading.sampleCountMax { try settle(&reading) }
    } else {
      try append(record, &reading)
    }
  }

  /// A header: of the file, or of the next table of an export.
  private mutating func begin(_ record: CSVReader.Record, _ reading: inout CSVReading) throws {
    try settle(&reading)
    reading.header = record.cells
    reading.lines = nil
    if reading.mapping != "auto" {
      reading.lines = CSVLines(try CSVMapping(reading.mapping, header: record.cells))
    } else if let exported = try CSVMapping.exported(record.cells) {
      reading.lines = CSVLines(exported)
    }
  }

  /// Finds out what the columns are, if that is still to be done.
  private mutating func settle(_ reading: inout CSVReading) throws {
    guard reading.lines == nil, let header = reading.header else { return }
    reading.lines = CSVLines(try CSVMapping.guessed(header, reading.sample, file: reading.name))
    for record in reading.sample { try append(record, &reading) }
    reading.sample = []
  }

  private mutating func append(_ record: CSVReader.Record, _ reading: inout CSVReading) throws {
    guard let lines = reading.lines, record.endOffset > place.offset(of: reading.name) else { return }
    if let (index, reason) = lines.append(record, to: &reading.out) {
      let column = record.cells.indices.contains(index) ? record.cells[index].column : 1
      try rejects.add(
        RefusedLine(line: record.line, column: column, reason: reason), of: reading.name, text: record.text)
    } else {
      reading.records.append(record)
    }
    if reading.out.count >= options.batchByteCount { try send(&reading) }
  }

  /// Sends the lines that are gathered.
  private mutating func send(_ reading: inout CSVReading) throws {
    guard let last = reading.records.last else { return }
    if Interrupt.wasPressed { throw Interrupted() }
    let outcome = try unsafe reading.out.withUnsafeBytes { try unsafe target.write($0, firstLine: 1) }
    acceptedCount += outcome.acceptedCount
    // A string may hold a line's end: lines of the batch are counted by those that begin a point.
    let starts = reading.firstLines
    for refused in outcome.refused {
      let index = (starts.firstIndex { $0 > refused.line } ?? starts.count) - 1
      let record = reading.records[max(0, index)]
      try rejects.add(
        RefusedLine(line: record.line, column: 1, reason: refused.reason), of: reading.name, text: record.text
      )
    }
    reading.out.removeAll(keepingCapacity: true)
    reading.records.removeAll(keepingCapacity: true)
    try place.advance(reading.name, to: last.endOffset)
  }
}

/// Where a file of CSV stands.
private struct CSVReading {
  static let sampleCountMax = 1_000
  let name: String
  let mapping: String
  var reader = CSVReader()
  var lines: CSVLines?
  var header: [CSVReader.Cell]?
  /// The rows that are to say what the columns are.
  var sample: [CSVReader.Record] = []
  /// Lines that are to be sent, and the record of each.
  var out: [UInt8] = []
  var records: [CSVReader.Record] = []

  init(name: String, mapping: String) { (self.name, self.mapping) = (name, mapping) }

  /// The line of `out`, from 1, that each record's point begins on.
  var firstLines: [Int] {
    var line = 1
    return records.map { record in
      let first = line
      // As many line ends as its strings hold, and the one that ends it.
      let inside = record.cells.reduce(0) { $0 + ($1.text.contains(0x0a) ? $1.text.count { $0 == 0x0a } : 0) }
      line += inside + 1
      return first
    }
  }
}

extension CSVReader.Record {
  /// The record as a list of refused lines shows it.
  fileprivate var text: [UInt8] { Array(cells.map(\.text).joined(separator: [UInt8(ascii: ",")])) }
}
