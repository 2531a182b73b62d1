/// What a manifest file says, and how it ends.
struct ManifestContents {
  /// A line that was read, as the dump shows it.
  struct Line {
    var offset: Int
    var byteCount: Int
    var text: ArraySlice<UInt8>
  }

  enum Tail: Equatable {
    case clean
    /// The last line holds but its newline is cut off.
    case unterminated
    /// That many bytes of a line that was not written to its end.
    case torn(Int)
  }

  private(set) var state = ManifestState()
  private(set) var number: UInt64 = 0
  private(set) var format = ManifestLine.formatVersion
  /// Through the last line that holds.
  private(set) var byteCount = 0
  private(set) var headByteCount = 0
  private(set) var tail = Tail.clean
  private(set) var lines: [Line] = []
  /// The bytes of the last line that holds.
  private(set) var lastLine: [UInt8] = []
  private let file: String

  /// Reads the bytes of a manifest.
  ///
  /// - Throws: `.corrupt` with file and offset; `.unsupportedVersion` where a newer Varve wrote it.
  init(_ bytes: [UInt8], file: String) throws(StorageError) {
    self.file = file
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = bytes[start..<end]
      guard let text = ManifestLine.decode(line) else {
        guard try isTorn(line, isLast: end + 1 >= bytes.count, isTerminated: end < bytes.count) else {
          throw StorageError(
            .corrupt, file: file, offset: UInt64(start), "the line's checksum does not hold; run `varve repair`")
        }
        tail = .torn(bytes.count - start)
        break
      }
      try take(text, at: start)
      if end == bytes.count { tail = .unterminated }
      byteCount = min(end + 1, bytes.count)
      if headByteCount == 0 { headByteCount = byteCount }
      lines.append(Line(offset: start, byteCount: byteCount - start, text: text))
      start = end + 1
    }
    if let last = lines.last { lastLine = Array(bytes[last.offset..<last.offset + last.byteCount]) }
    if lines.isEmpty { throw StorageError(.corrupt, file: file, offset: 0, "the file is empty") }
  }

  private mutating func take(_ text: ArraySlice<UInt8>, at offset: Int) throws(StorageError) {
    if lines.isEmpty {
      struct Format: Decodable { var format: Int }
      format = try ManifestLine.decode(json: text, as: Format.self, file: file, offset: offset).format
      let known = ManifestLine.formatVersionMin...ManifestLine.formatVersion
      guard known.contains(format) else {
        throw StorageError(
          format > known.upperBound ? .unsupportedVersion : .corrupt, file: file, offset: UInt64(offset),
          "manifest format \(format), this version reads \(known.lowerBound) to \(known.upperBound): "
            + "use the Varve that wrote this directory, or a newer one")
      }
      let head = try ManifestLine.decode(json: text, as: ManifestHead.self, file: file, offset: offset)
      number = head.number
      state = head.state
      return try Self.placing(file, offset) { () throws(StorageError) in try state.check() }
    }
    let edits = try ManifestLine.decode(json: text, as: ManifestEdits.self, file: file, offset: offset).edits
    try Self.placing(file, offset) { () throws(StorageError) in for edit in edits { try state.apply(edit) } }
  }

  /// Gives what is thrown the place of the line to blame.
  private static func placing(
    _ file: String, _ offset: Int, _ body: () throws(StorageError) -> Void
  ) throws(StorageError) {
    do throws(StorageError) {
      try body()
    } catch {
      throw StorageError(.corrupt, file: file, offset: UInt64(offset), error.detail)
    }
  }

  /// Whether a line whose checksum does not hold is one that a power cut may leave: the last one, and cut off or with a hole
  /// where sectors were not written. Each line was synced before the next, so an earlier one is damage; so is a last one that
  /// is all there and differs.
  private func isTorn(_ line: ArraySlice<UInt8>, isLast: Bool, isTerminated: Bool) throws(StorageError) -> Bool {
    // The first line was synced before `CURRENT` named the file.
    guard isLast, !lines.isEmpty else { return false }
    if isTerminated { return Self.hasHole(line) }
    // All but the newline holds: it was there and is another byte now.
    return ManifestLine.decode(line.dropLast()) == nil
  }

  /// Zeros from the line's start or a sector's to a sector's end; a line itself holds none.
  private static func hasHole(_ line: ArraySlice<UInt8>) -> Bool {
    let sector = Survival.sectorByteCount
    var index = line.startIndex
    while let start = line[index...].firstIndex(of: 0) {
      let end = line[start...].firstIndex { $0 != 0 } ?? line.endIndex
      if (start == line.startIndex || start % sector == 0) && end % sector == 0 { return true }
      index = end
    }
    return false
  }
}
