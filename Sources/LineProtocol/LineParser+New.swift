internal import CShims

/// New series among known ones: what is new is looked at by the rules, the rest is compared.
extension LineParser {
  /// Gives a number to the spelling of the line at `start` if it is plain, valid and new, and fields and time behind it are of the last
  /// line's kind: the fast way then reads the line. `false` leaves all as it was; the general way may do more.
  @inline(never) func learnSeries(
    _ start: UnsafePointer<UInt8>, _ fastEnd: UnsafePointer<UInt8>, _ now: Int64, _ batch: LineBatch
  ) -> Bool {
    guard last != SpellingEntry.none, unsafe start < fastEnd,
      unsafe !Escaping.isBlank(start.pointee) && start.pointee != UInt8(ascii: "#")
    else { return false }
    let list = vocabulary.entries[Int(last)].fieldList
    guard list != SpellingEntry.none, let count = unsafe plainKeyCount(start, fastEnd, list),
      unsafe hasFields(of: list, start, count, fastEnd, now, batch), unsafe isValidKey(start, count)
    else { return false }
    let spelling = unsafe vocabulary.number(ofSpelling: UnsafeBufferPointer(start: start, count: count + 1))
    vocabulary.entries[Int(spelling)].fieldList = list
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

  private func isValidKey(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let line = unsafe UnsafeBufferPointer(start: start, count: count + 1)
    do throws(LineFault) {
      try unsafe key.scan(line, from: 0)
      try unsafe key.checkNames(line)
      return true
    } catch {
      // The general way says what is wrong.
      return false
    }
  }

  /// Whether the fast way will read what follows a key of `count` bytes.
  private func hasFields(
    of list: UInt32, _ start: UnsafePointer<UInt8>, _ count: Int, _ fastEnd: UnsafePointer<UInt8>, _ now: Int64,
    _ batch: LineBatch
  ) -> Bool {
    let entry = vocabulary.lists[Int(list)]
    scratch.reset()
    scratch.reserve(Int(entry.count))
    var reader = unsafe ValueReader(floats: floats, end: fastEnd, batch: batch)
    unsafe reader.begin()
    defer { unsafe reader.undo() }
    var cursor = unsafe start + count + 1
    // The list's fields are consecutive; the values go where room was made for as many.
    return unsafe readFields(
      vocabulary.fields.base + Int(entry.first), Int(entry.count), UnsafePointer(vocabulary.names.base), &cursor, fastEnd,
      &reader, scratch.base)
      && readTime(&cursor, fastEnd, now, options) != nil && cursor - start <= options.lineByteCountMax
  }
}
