internal import CShims

/// New series among known ones: what is new is looked at by the rules, the rest is compared.
extension LineParser {
  /// Parses the line at `position` if its spelling is plain, valid and new, and what follows is of the last line's kind: gives the spelling
  /// a number, and moves `position` and `line` to the next. `false` leaves all as it was; the general way may do more.
  @inline(never) func learnSeries(
    _ position: inout UnsafePointer<UInt8>, _ fastEnd: UnsafePointer<UInt8>, _ now: Int64, _ line: inout UInt64,
    _ rows: inout RowCursor, _ batch: LineBatch
  ) -> Bool {
    let start = unsafe position
    guard last != SpellingEntry.none, unsafe start < fastEnd,
      unsafe !Escaping.isBlank(start.pointee) && start.pointee != UInt8(ascii: "#")
    else { return false }
    let list = vocabulary.spellings.entries[Int(last)].fieldList
    guard list != SpellingEntry.none, let count = unsafe plainKeyCount(start, fastEnd, list),
      unsafe isValidKey(UnsafeBufferPointer(start: start, count: count))
    else { return false }

    // The list's fields are consecutive; nothing is appended to the vocabulary before they are read.
    let fields = vocabulary.lists[Int(list)]
    var reader = unsafe ValueReader(floats: floats, end: fastEnd, batch: batch)
    unsafe rows.reserve(Int(fields.count), batch)
    unsafe reader.begin()
    var cursor = unsafe start + count + 1
    guard
      unsafe readFields(
        vocabulary.fields.base + Int(fields.first), Int(fields.count), UnsafePointer(vocabulary.names.base), &cursor, fastEnd,
        &reader, rows.values + rows.valueCount),
      let time = unsafe readTime(&cursor, fastEnd, now, options), unsafe cursor - start <= options.lineByteCountMax
    else {
      unsafe reader.undo()
      return false
    }
    let spelling = unsafe vocabulary.number(ofPlain: UnsafeBufferPointer(start: start, count: count + 1), missed: missed)
    unsafe rows.append(spelling, list, time, line, Int(fields.count))
    line &+= unsafe 1 &+ reader.newlineCount
    unsafe position = cursor + 1
    vocabulary.spellings.entries[Int(spelling)].fieldList = list
    vocabulary.spellings.entries[Int(last)].next = spelling
    last = spelling
    return true
  }

  /// Bytes of the key at `start`, which has no backslash and is no longer than names of the list allow.
  private func plainKeyCount(
    _ start: UnsafePointer<UInt8>, _ fastEnd: UnsafePointer<UInt8>, _ list: UInt32
  ) -> Int? {
    let end = unsafe CShims_findAny(start, fastEnd, Escaping.space, Escaping.backslash, Escaping.newline)
    guard unsafe end < fastEnd && end.pointee == Escaping.space else { return nil }
    let count = unsafe end - start
    let fields = vocabulary.lists[Int(list)]
    for index in 0..<Int(fields.count) {
      // The name's `=` makes the bound one byte tighter than it must be.
      let nameCount = Int(vocabulary.fields[Int(fields.first) + index].count)
      if count + 4 + nameCount > LineLimits.keyByteCountMax { return nil }
    }
    return count
  }

  /// The general way says what is wrong with one that is not.
  private func isValidKey(_ spelling: UnsafeBufferPointer<UInt8>) -> Bool {
    unsafe vocabulary.plainKey.scan(spelling) && Escaping.isUTF8(spelling)
  }
}
