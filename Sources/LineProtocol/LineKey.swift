/// Measurement and tags of one line, as InfluxDB scans them (`models/points.go`, `scanKey`): in this part a backslash
/// escapes whatever byte follows it, and what follows a backslash is never a separator, be it a backslash itself.
struct LineKey {
  /// Where the key ends: the first unescaped space.
  private(set) var end = 0
  private(set) var measurement = 0..<0
  /// Offsets of keys and values.
  private(set) var tags: [(key: Range<Int>, value: Range<Int>)] = []
  /// Holds no doubled backslash and no escaped newline, so that every way of reading escapes agrees on it.
  private(set) var isRegular = true

  /// Scans the key that begins at `start`. Forgets what it held; keeps memory.
  mutating func scan(_ line: UnsafeBufferPointer<UInt8>, from start: Int) throws(LineFault) {
    tags.removeAll(keepingCapacity: true)
    isRegular = true
    // Each index is compared with `count` before it is read.
    guard start < line.count, unsafe line[start] != Escaping.comma else {
      throw LineFault(.syntax, at: start, "missing measurement")
    }
    var position = start + 1
    while true {
      if position >= line.count { throw LineFault(.syntax, at: position, "missing fields") }
      if unsafe isSeparator(line, position, Escaping.comma, Escaping.space) { break }
      position += 1
    }
    measurement = start..<position
    while unsafe line[position] == Escaping.comma {
      position = try unsafe scanTag(line, from: position + 1)
    }
    end = position
    try unsafe checkKeys(line)
  }

  /// Scans one tag; returns where the separator after it stands.
  private mutating func scanTag(_ line: UnsafeBufferPointer<UInt8>, from start: Int) throws(LineFault) -> Int
  {
    var position = start
    if unsafe position >= line.count || line[position] == Escaping.space || line[position] == Escaping.comma
      || line[position] == Escaping.equals
    {
      throw LineFault(.syntax, at: position, "missing tag key")
    }
    while true {
      position += 1
      if unsafe position >= line.count || isSeparator(line, position, Escaping.comma, Escaping.space) {
        throw LineFault(.syntax, at: position, "missing tag value")
      }
      if unsafe isSeparator(line, position, Escaping.equals, Escaping.equals) { break }
    }
    let key = start..<position
    position += 1
    let value = position
    if unsafe position >= line.count || line[position] == Escaping.comma || line[position] == Escaping.space {
      throw LineFault(.syntax, at: position, "missing tag value")
    }
    while true {
      position += 1
      if position >= line.count { throw LineFault(.syntax, at: position, "missing fields") }
      if unsafe isSeparator(line, position, Escaping.equals, Escaping.equals) {
        throw LineFault(.syntax, at: position, "invalid tag format")
      }
      if unsafe isSeparator(line, position, Escaping.comma, Escaping.space) { break }
    }
    tags.append((key, value..<position))
    return position
  }

  /// Whether an unescaped `a` or `b` stands at `position`, which is not the first byte; notes irregular escapes.
  @inline(__always) private mutating func isSeparator(
    _ line: UnsafeBufferPointer<UInt8>, _ position: Int, _ a: UInt8, _ b: UInt8
  ) -> Bool {
    let byte = unsafe line[position]
    if unsafe line[position - 1] == Escaping.backslash {
      if byte == Escaping.backslash || byte == Escaping.newline { isRegular = false }
      return false
    }
    return byte == a || byte == b
  }

  /// No tag key twice, as sent: escaped keys differ exactly where unescaped ones do.
  private func checkKeys(_ line: UnsafeBufferPointer<UInt8>) throws(LineFault) {
    if tags.count > LineLimits.tagCountMax {
      throw LineFault(.limit, at: end, "more than \(LineLimits.tagCountMax) tags")
    }
    var isAscending = true
    for index in tags.indices.dropFirst() {
      let order = unsafe compare(line, tags[index - 1].key, tags[index].key)
      if order == 0 { throw LineFault(.syntax, at: end, "duplicate tags") }
      if order > 0 { isAscending = false }
    }
    if isAscending { return }
    let sorted = tags.indices.sorted { unsafe compare(line, tags[$0].key, tags[$1].key) < 0 }
    for (a, b) in zip(sorted, sorted.dropFirst()) where unsafe compare(line, tags[a].key, tags[b].key) == 0 {
      throw LineFault(.syntax, at: end, "duplicate tags")
    }
  }

  private func compare(_ line: UnsafeBufferPointer<UInt8>, _ a: Range<Int>, _ b: Range<Int>) -> Int {
    for offset in 0..<min(a.count, b.count) {
      let difference = unsafe Int(line[a.lowerBound + offset]) - Int(line[b.lowerBound + offset])
      if difference != 0 { return difference }
    }
    return a.count - b.count
  }

  /// What InfluxDB leaves to storage, and what this store asks beyond it: no tag `time`, valid UTF-8.
  func checkNames(_ line: UnsafeBufferPointer<UInt8>) throws(LineFault) {
    for tag in tags where unsafe line[tag.key].elementsEqual("time".utf8) {
      let name = unsafe String(
        decoding: Escaping.unescapedName(line[measurement].prefix(Reject.textByteCountMax)), as: UTF8.self)
      throw LineFault(
        .syntax, at: tag.key.lowerBound,
        "invalid tag key: input tag \"time\" on measurement \"\(name)\" is invalid")
    }
    let key = unsafe UnsafeBufferPointer(rebasing: line[measurement.lowerBound..<end])
    if unsafe Escaping.isUTF8(key) { return }
    // Escapes are ASCII and separators too, so the parts are valid exactly where the whole is.
    throw LineFault(.utf8, at: measurement.lowerBound, "measurement or tags are not valid UTF-8")
  }

  /// The canonical key of what was scanned.
  func seriesKey(_ line: UnsafeBufferPointer<UInt8>) -> SeriesKey {
    SeriesKey(
      measurement: unsafe Escaping.unescapedName(line[measurement]),
      tags: tags.map {
        unsafe (Escaping.unescapedTag(line[$0.key]), Escaping.unescapedTag(line[$0.value]))
      })
  }

  /// The canonical key of a spelling that was validated, given with the space after it.
  static func seriesKey(ofValidated spelling: UnsafeBufferPointer<UInt8>) -> SeriesKey {
    var key = LineKey()
    do throws(LineFault) {
      try unsafe key.scan(spelling, from: 0)
    } catch {
      preconditionFailure("a numbered spelling is valid: \(error.message)")
    }
    return unsafe key.seriesKey(spelling)
  }
}
