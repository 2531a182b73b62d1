import Glibc

/// Refused lines: the first on standard error, all of them in a file that can be mended and imported.
package struct RejectList {
  package private(set) var count = 0
  private let path: String?
  private var gathered: [UInt8] = []
  private var hasWritten = false
  private static let printedCountMax = 100

  package init(path: String?) { self.path = path }

  mutating func add(_ refused: RefusedLine, of file: String, text: [UInt8]) throws {
    count += 1
    let place = "\(file):\(refused.line):\(refused.column): \(refused.reason)"
    if count <= Self.printedCountMax { printError(place) }
    if path != nil {
      gathered += Array("# \(place)\n".utf8) + text + [0x0a]
      if gathered.count > 1 << 16 { try write() }
    } else if count == Self.printedCountMax + 1 {
      printError("varve import: more lines are refused; --rejects FILE keeps all of them")
    }
  }

  /// Writes what is gathered; a file of an earlier run is emptied even where nothing was refused.
  mutating func finish() throws { if path != nil { try write() } }

  private mutating func write() throws {
    guard let path else { return }
    try writeFile(gathered, to: path, mode: hasWritten ? O_APPEND : O_TRUNC)
    gathered.removeAll(keepingCapacity: true)
    hasWritten = true
  }
}

/// How far each file was brought in, kept in a file so that an import that was stopped goes on there.
///
/// One line a file: `BYTES NAME`, or `done NAME`; replaced by rename after each batch that the target has made durable.
package struct ImportPlace {
  private let path: String?
  private var offsets: [String: Int] = [:]

  /// Reads the file where it is there.
  package init(path: String?) throws {
    self.path = path
    guard let path, unsafe access(path, F_OK) == 0 else { return }
    for line in String(decoding: try readWholeFile(path), as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, let offset = parts[0] == "done" ? Int.max : Int(parts[0]) else {
        throw CommandFailure("\(path) is no file of --resume: \"\(line)\"")
      }
      offsets[String(parts[1])] = offset
    }
  }

  /// Bytes, uncompressed, that are in; all of them where the file is done.
  package func offset(of file: String) -> Int { offsets[file] ?? 0 }

  /// The time through which a measurement is in; `nil` where nothing of it is, since times may be before 1970.
  func time(of measurement: String) -> Int64? { offsets[measurement].map { Int64($0) } }

  package mutating func advance(_ file: String, to offset: Int) throws {
    if path == nil { return }
    if let known = offsets[file], known >= offset { return }
    offsets[file] = offset
    try write()
  }

  package mutating func finish(_ file: String) throws {
    guard path != nil else { return }
    offsets[file] = .max
    try write()
  }

  private func write() throws {
    guard let path else { return }
    let text = offsets.sorted { $0.key < $1.key }.map {
      "\($0.value == .max ? "done" : "\($0.value)") \($0.key)\n"
    }
    try writeFile(Array(text.joined().utf8), to: path + ".new")
    guard unsafe rename(path + ".new", path) == 0 else {
      throw CommandFailure("cannot replace \(path): \(systemErrorText(errno))")
    }
  }
}

/// One line on a terminal's standard error that says how far an import is; nothing within the first second.
struct ImportProgress {
  private let isShown = isatty(STDERR_FILENO) == 1
  private let start = monotonicSeconds()
  private var last = 0.0

  mutating func show(_ file: InputFile, _ accepted: Int, _ rejected: Int) {
    let share = file.storedByteCount.map { $0 > 0 ? " \(file.storedOffset * 100 / $0) %" : "" } ?? ""
    show("\(file.name):\(share)", accepted, rejected)
  }

  mutating func show(_ what: String, _ accepted: Int, _ rejected: Int = 0) {
    let now = monotonicSeconds()
    guard isShown, now - start > 1, now - last > 0.1 else { return }
    last = now
    var text = "\(what), \(accepted) points, \(Int(Double(accepted) / (now - start))) a second"
    if rejected > 0 { text += ", \(rejected) refused" }
    write("\r\u{1b}[K\(text)")
  }

  func clear() { if last > 0 { write("\r\u{1b}[K") } }

  private func write(_ text: String) {
    _ = unsafe Array(text.utf8).withUnsafeBytes {
      unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count)
    }
  }
}
