internal import CShims

/// The fast way: lines that look like the last ones.
///
/// Every line read here would be read alike by the general way. Bytes are read without their index being checked where a scan
/// stops at a newline: `fastEnd` is one past a newline, so none passes it.
extension LineParser {
  /// Parses lines from `position` until one is unusual, and leaves `position` and `line` there; the rows go to `rows`.
  func parseFast(
    _ position: inout UnsafePointer<UInt8>, _ fastEnd: UnsafePointer<UInt8>, _ now: Int64,
    _ line: inout UInt64, _ rows: inout RowCursor, _ batch: LineBatch
  ) {
    // Nothing below appends to the vocabulary, so its memory stays where it is.
    let entries = unsafe vocabulary.spellings.entries.base
    let spellings = unsafe UnsafePointer(vocabulary.spellings.bytes.base)
    let lists = unsafe vocabulary.lists.base
    let fields = unsafe vocabulary.fields.base
    let names = unsafe UnsafePointer(vocabulary.names.base)
    let options = options
    var reader = unsafe ValueReader(floats: floats, end: fastEnd, batch: batch)
    missed = nil
    var last = last
    var number = last == SpellingEntry.none ? last : unsafe entries[Int(last)].next
    while unsafe position < fastEnd {
      var cursor = unsafe position
      // The series: that which followed last time, else by its hash.
      if number != SpellingEntry.none {
        let entry = unsafe entries[Int(number)]
        if unsafe !entry.isPrefix(of: cursor, fastEnd, spellings) { number = SpellingEntry.none }
      }
      if number == SpellingEntry.none {
        guard let found = unsafe findSeries(cursor, fastEnd) else { break }
        number = found
      }
      let entry = unsafe entries[Int(number)]
      if entry.fieldList == SpellingEntry.none { break }
      unsafe cursor += Int(entry.count)

      // The fields: names and types of the list that the series had last time.
      let list = unsafe lists[Int(entry.fieldList)]
      unsafe rows.reserve(Int(list.count), batch)
      unsafe reader.begin()
      let values = unsafe rows.values + rows.valueCount
      let first = unsafe fields + Int(list.first)
      guard unsafe readFields(first, Int(list.count), names, &cursor, fastEnd, &reader, values),
        let time = unsafe readTime(&cursor, fastEnd, now, options),
        unsafe cursor - position <= options.lineByteCountMax
      else {
        unsafe reader.undo()
        break
      }
      unsafe rows.append(number, entry.fieldList, time, line, Int(list.count))
      line &+= unsafe 1 &+ reader.newlineCount
      unsafe position = cursor + 1
      if last != SpellingEntry.none { unsafe entries[Int(last)].next = number }
      last = number
      number = entry.next
    }
    self.last = last
  }

  /// Reads the values of `count` fields, whose names stand before them, and leaves `cursor` behind the last; `false` if other bytes come.
  @inline(__always) func readFields(
    _ fields: UnsafeMutablePointer<FieldEntry>, _ count: Int, _ names: UnsafePointer<UInt8>,
    _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ reader: inout ValueReader,
    _ values: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    var index = 0
    while true {
      let field = unsafe fields[index]
      guard unsafe CShims_hasPrefix(cursor, end, names + Int(field.offset), Int(field.count)) != 0 else { return false }
      unsafe cursor += Int(field.count)
      guard let word = unsafe reader.read(&cursor, field.type) else { return false }
      unsafe values[index] = word
      index &+= 1
      if index == count { return true }
      guard unsafe cursor.pointee == Escaping.comma else { return false }
      unsafe cursor += 1
    }
  }

  /// The number of the spelling at `cursor` by its hash; `nil` if it has none or is not plain.
  @inline(__always) private func findSeries(
    _ cursor: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UInt32? {
    // A blank or a comment is never a spelling's first byte.
    var place = unsafe CShims_findAny(cursor, end, Escaping.space, Escaping.backslash, Escaping.newline)
    while unsafe place < end && place.pointee == Escaping.backslash {
      // The byte after a backslash is below `end`, whose last byte is a newline.
      let escaped = unsafe place[1]
      if escaped == Escaping.backslash || escaped == Escaping.newline { return nil }
      unsafe place = CShims_findAny(place + 2, end, Escaping.space, Escaping.backslash, Escaping.newline)
    }
    guard unsafe place < end && place.pointee == Escaping.space else { return nil }
    let spelling = unsafe UnsafeBufferPointer(start: cursor, count: place - cursor + 1)
    let hash = unsafe vocabulary.spellings.hash(spelling)
    let number = unsafe vocabulary.spellings.find(spelling, hash: hash)
    if number == nil { missed = hash }
    return number
  }

  /// Reads what follows the fields and leaves `cursor` at the newline; `nil` if it is unusual.
  @inline(__always) func readTime(
    _ cursor: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ now: Int64, _ options: Options
  ) -> Int64? {
    var time = now
    if unsafe cursor.pointee == Escaping.space {
      unsafe cursor += 1
      let start = unsafe cursor
      var units: UInt64 = 0
      // Two steps of 8 digits, of the 19 that nanoseconds have.
      while unsafe end - cursor > 8, let eight = unsafe Digits.eight(CShims_load8(cursor)) {
        units = units &* 100_000_000 &+ eight
        unsafe cursor += 8
      }
      while true {
        let digit = unsafe cursor.pointee &- UInt8(ascii: "0")
        if digit > 9 { break }
        units = units &* 10 &+ UInt64(digit)
        unsafe cursor += 1
      }
      let count = unsafe cursor - start
      guard count > 0 && count <= 19 && units <= UInt64(Int64.max) else { return nil }
      let (scaled, isOver) = Int64(units).multipliedReportingOverflow(
        by: options.precision.unit(of: Int64(units)))
      if isOver || scaled == .max { return nil }
      time = scaled
    }
    if unsafe cursor.pointee == UInt8(ascii: "\r") && options.carriageReturn == .strip { unsafe cursor += 1 }
    return unsafe cursor.pointee == Escaping.newline ? time : nil
  }
}
