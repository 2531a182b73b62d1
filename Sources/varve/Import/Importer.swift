import Glibc
import LineProtocol
import Query

/// Brings files into a target, batch by batch, in the order of their lines.
///
/// A file that begins with `# DDL` or `# DML` is of InfluxDB's export form: statements are run, and comments name the
/// database and policy of the lines behind them.
package struct Importer {
  let target: any ImportTarget
  let options: Options
  var rejects: RejectList
  var place: ImportPlace
  var progress: ImportProgress
  package internal(set) var acceptedCount = 0
  package var rejectedCount: Int { rejects.count }

  package struct Options {
    package var database: String
    package var policy: String?
    /// Bytes read before what is whole is sent.
    package var batchByteCount = 4 << 20
    package var lineByteCountMax = 1 << 20

    package init(database: String, policy: String? = nil) {
      self.database = database
      self.policy = policy
    }
  }

  package init(_ target: any ImportTarget, _ options: Options, rejects: RejectList, place: ImportPlace) {
    self.target = target
    self.options = options
    self.rejects = rejects
    self.place = place
    progress = ImportProgress()
  }

  /// Reads one file to its end: lines, a tar of tables, or a table, by what it begins with.
  package mutating func take(_ name: String) throws {
    let file = try InputFile(name)
    let head = try file.peek(TarHeader.lookByteCount)
    if TarReader.isNamed(name) || TarHeader.begins(head) {
      try target.use(database: options.database, policy: options.policy)
      return try takeTables(file)
    }
    if name.hasSuffix(".sst") || head.starts(with: "VARVEsst".utf8) {
      try target.use(database: options.database, policy: options.policy)
      return try takeTable(file)
    }
    try takeLines(of: file)
  }

  private mutating func takeLines(of file: InputFile) throws {
    let name = file.name
    var reading = Reading(
      framer: LineFramer(options: LineParser.Options(lineByteCountMax: options.lineByteCountMax)),
      doneByteCount: place.offset(of: name))
    try target.use(database: options.database, policy: options.policy)
    var buffer = [UInt8](repeating: 0, count: options.batchByteCount + options.lineByteCountMax)
    var (filled, isLast) = (0, false)
    repeat {
      // A framer needs room for one line of the greatest length.
      while filled < buffer.count, !isLast {
        let count = try unsafe buffer.withUnsafeMutableBytes { bytes in
          try unsafe file.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]))
        }
        if count == 0 { isLast = true }
        filled += count
      }
      let taken = try unsafe buffer.withUnsafeBytes { bytes in
        try unsafe takeLines(UnsafeRawBufferPointer(rebasing: bytes[..<filled]), isLast, name, &reading)
      }
      buffer.replaceSubrange(0..<filled - taken, with: buffer[taken..<filled])
      filled -= taken
      progress.show(file, acceptedCount, rejects.count)
    } while !isLast
    try place.finish(name)
    progress.clear()
  }

  /// States that all files are read.
  package mutating func finish() throws { try rejects.finish() }

  /// Where a file stands.
  private struct Reading {
    var framer: LineFramer
    /// The number of the next line.
    var line = 1
    /// Bytes of lines that are behind, uncompressed.
    var offset = 0
    /// Bytes that an earlier run has brought in.
    var doneByteCount: Int
    /// Whether the file is an export; `nil` until its first line is seen.
    var isExport: Bool?
    var isInDDL = false
  }

  // MARK: Lines

  /// Takes what is whole at the front of `bytes`; returns how many bytes that is.
  private mutating func takeLines(
    _ bytes: UnsafeRawBufferPointer, _ isLast: Bool, _ name: String, _ reading: inout Reading
  ) throws -> Int {
    var start = 0
    while start < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
      let piece = unsafe reading.framer.next(rest, isLast: isLast)
      let whole = unsafe UnsafeRawBufferPointer(rebasing: rest[..<piece.byteCount])
      switch piece.kind {
      case .incomplete: return start
      case .lines: try unsafe takeWhole(whole, name, &reading)
      // In a file an acknowledgement is a comment.
      case .acknowledge, .skipped: reading.line += Int(piece.newlineCount)
      case .refused(let reject):
        if reading.offset >= reading.doneByteCount {
          try rejects.add(
            RefusedLine(line: reading.line, column: reject.column, reason: reject.message), of: name,
            text: reject.text)
        }
        reading.line += Int(piece.newlineCount)
      }
      reading.offset += piece.byteCount
      start += piece.byteCount
    }
    return start
  }

  private mutating func takeWhole(
    _ lines: UnsafeRawBufferPointer, _ name: String, _ reading: inout Reading
  ) throws {
    if reading.isExport == nil {
      reading.isExport = unsafe lines.starts(with: "# DDL".utf8) || lines.starts(with: "# DML".utf8)
    }
    let firstLine = reading.line
    let newlines = unsafe lines.count { $0 == 0x0a }
    reading.line += newlines + (unsafe lines.last == 0x0a || lines.isEmpty ? 0 : 1)
    if reading.isExport == true {
      try unsafe takeExport(lines, firstLine, name, &reading)
    } else if reading.offset >= reading.doneByteCount {
      try unsafe send(lines, firstLine, name)
      try place.advance(name, to: reading.offset + lines.count)
    }
  }

  mutating func send(_ lines: UnsafeRawBufferPointer, _ firstLine: Int, _ name: String) throws {
    if Interrupt.wasPressed { throw Interrupted() }
    let outcome = try unsafe target.write(lines, firstLine: firstLine)
    acceptedCount += outcome.acceptedCount
    guard !outcome.refused.isEmpty else { return }
    var (line, offset) = (firstLine, 0)
    for refused in outcome.refused.sorted(by: { $0.line < $1.line }) {
      while line < refused.line, let newline = unsafe lines[offset...].firstIndex(of: 0x0a) {
        offset = newline + 1
        line += 1
      }
      let text = unsafe Array(lines[offset...].prefix { $0 != 0x0a })
      try rejects.add(refused, of: name, text: text)
    }
  }

  // MARK: Exports

  /// Takes lines of an export: runs of points are sent together, cut where a comment or statement stands between them.
  private mutating func takeExport(
    _ lines: UnsafeRawBufferPointer, _ firstLine: Int, _ name: String, _ reading: inout Reading
  ) throws {
    var (runStart, runLine, offset, line) = (0, firstLine, 0, firstLine)
    let isDone = reading.offset < reading.doneByteCount
    func sendRun(_ self: inout Importer, to end: Int) throws {
      if runStart < end, !isDone {
        try unsafe self.send(UnsafeRawBufferPointer(rebasing: lines[runStart..<end]), runLine, name)
      }
    }
    while offset < lines.count {
      let end = unsafe lines[offset...].firstIndex(of: 0x0a).map { $0 + 1 } ?? lines.count
      let isComment = unsafe lines[offset] == UInt8(ascii: "#")
      if isComment || reading.isInDDL {
        try sendRun(&self, to: offset)
        let text = unsafe String(decoding: lines[offset..<end], as: UTF8.self).filter {
          $0 != "\n" && $0 != "\r\n"
        }
        if isComment {
          try takeComment(text, &reading)
        } else if !text.isEmpty {
          try target.execute(text)
        }
        (runStart, runLine) = (end, line + 1)
      }
      (offset, line) = (end, line + 1)
    }
    try sendRun(&self, to: lines.count)
    if !isDone { try place.advance(name, to: reading.offset + lines.count) }
  }

  private var exportDatabase: String { context.database ?? options.database }
  private var context: (database: String?, policy: String?) = (nil, nil)

  private mutating func takeComment(_ text: String, _ reading: inout Reading) throws {
    func value(_ key: String) -> String? {
      guard text.hasPrefix("# \(key):") else { return nil }
      return String(text.dropFirst(key.utf8.count + 3).drop { $0 == " " })
    }
    if text.hasPrefix("# DDL") { reading.isInDDL = true }
    if text.hasPrefix("# DML") { reading.isInDDL = false }
    if let database = value("CONTEXT-DATABASE") {
      // The policy that was named before belonged to another database.
      context = (database, nil)
      try target.use(database: database, policy: nil)
    }
    if let policy = value("CONTEXT-RETENTION-POLICY") {
      context.policy = policy
      try target.use(database: exportDatabase, policy: policy)
    }
  }
}
