internal import CShims

/// The general way: the whole grammar, one line a call.
extension LineParser {
  /// Parses the line at `start`, or refuses it, or skips it; returns where the next one begins and counts physical lines.
  @inline(never) func parseGeneral(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ now: Int64, _ line: inout UInt64,
    _ batch: LineBatch
  ) -> UnsafePointer<UInt8> {
    // All offsets are below `available`, which ends where the caller's bytes do.
    let available = unsafe end - start
    let limit = options.lineByteCountMax
    var scan = LineScan()
    if let newline = unsafe scan.findEnd(line: start, count: min(available, limit + 1)) {
      var count = newline
      if unsafe options.carriageReturn == .strip && count > 0 && start[count - 1] == UInt8(ascii: "\r") {
        count -= 1
      }
      unsafe parsePoint(UnsafeBufferPointer(start: start, count: count), now, line, batch)
      line += unsafe UInt64(CShims_countByte(start, start + newline + 1, Escaping.newline))
      return unsafe start + newline + 1
    }
    if available <= limit {
      // No newline ended it: the bytes do. A last newline inside a quote or after a backslash is not part of the text.
      let isWhole = unsafe end[-1] == Escaping.newline
      unsafe parsePoint(
        UnsafeBufferPointer(start: start, count: available - (isWhole ? 1 : 0)), now, line, batch)
      line += unsafe UInt64(CShims_countByte(start, end, Escaping.newline)) + (isWhole ? 0 : 1)
      return unsafe end
    }
    unsafe batch.refuse(
      Reject.tooLong(
        isQuoted: scan.isQuoted, limit: limit, line: Int(line),
        text: UnsafeBufferPointer(start: start, count: limit)))
    let newline = unsafe CShims_findByte(start + limit, end, Escaping.newline)
    let next = unsafe newline < end ? newline + 1 : end
    line += unsafe UInt64(CShims_countByte(start, next, Escaping.newline)) + (newline < end ? 0 : 1)
    return unsafe next
  }

  /// Parses one line without its end; `number` is that of its first physical line.
  private func parsePoint(
    _ line: UnsafeBufferPointer<UInt8>, _ now: Int64, _ number: UInt64, _ batch: LineBatch
  ) {
    var start = 0
    while unsafe start < line.count && Escaping.isBlank(line[start]) { start += 1 }
    if unsafe start == line.count || line[start] == UInt8(ascii: "#") { return }
    do throws(LineFault) {
      try unsafe key.scan(line, from: start)
      try unsafe fields.scan(line, keyStart: start, keyEnd: key.end)
      let time = try unsafe fields.time(line, options.precision)
      try unsafe key.checkNames(line)
      try unsafe fields.checkNames(line)
      try unsafe append(line, start, time ?? now, number, batch)
    } catch {
      let text = unsafe line[start...].prefix(Reject.textByteCountMax)
      batch.refuse(
        Reject(
          reason: error.reason, line: Int(number), column: error.offset + 1, message: error.message,
          text: unsafe Array(text)))
    }
  }

  /// Numbers what is new and appends the point that was scanned.
  private func append(
    _ line: UnsafeBufferPointer<UInt8>, _ start: Int, _ time: Int64, _ number: UInt64, _ batch: LineBatch
  ) throws(LineFault) {
    let kept = try unsafe keptFields(line)
    listKey.removeAll(keepingCapacity: true)
    nameCounts.removeAll(keepingCapacity: true)
    for index in kept {
      let field = fields.fields[index]
      unsafe listKey.append(contentsOf: line[field.name])
      listKey.append(Escaping.equals)
      listKey.append(field.value.type.rawValue)
      nameCounts.append(field.name.count)
    }
    let list = vocabulary.number(ofFieldList: listKey, nameCounts: nameCounts)
    // The spelling takes in the space at `key.end`, which is below `count`.
    let spelling = unsafe vocabulary.number(ofSpelling: UnsafeBufferPointer(rebasing: line[start...key.end]))
    for index in kept { unsafe appendValue(fields.fields[index].value, line, batch) }
    batch.series.append(spelling)
    batch.fieldLists.append(list)
    batch.timestamps.append(time)
    batch.lines.append(number)
    learn(spelling, list, isWhole: kept.count == fields.fields.count)
  }

  /// Remembers what the next line may be compared with: only what every way of reading escapes agrees on.
  private func learn(_ spelling: UInt32, _ list: UInt32, isWhole: Bool) {
    if fields.isRegular && isWhole { vocabulary.spellings.entries[Int(spelling)].fieldList = list }
    if last != SpellingEntry.none && key.isRegular { vocabulary.spellings.entries[Int(last)].next = spelling }
    last = spelling
  }

  /// The fields that are stored, by index: no name twice (the last value stands in the first one's place), not `time`.
  private func keptFields(_ line: UnsafeBufferPointer<UInt8>) throws(LineFault) -> [Int] {
    let all = fields.fields
    // Few fields: compare each with those before it. Many, or escaped ones: by name.
    var kept: [Int] = []
    kept.reserveCapacity(all.count)
    let comparesRaw = all.count <= 16 && !all.contains { unsafe line[$0.name].contains(Escaping.backslash) }
    var places: [[UInt8]: Int] = [:]
    for index in all.indices {
      let name = unsafe line[all[index].name]
      if unsafe name.elementsEqual("time".utf8) { continue }
      let place: Int?
      if comparesRaw {
        place = kept.firstIndex { unsafe line[all[$0].name].elementsEqual(name) }
      } else {
        let bytes = unsafe Escaping.unescapedName(name)
        place = places[bytes]
        if place == nil { places[bytes] = kept.count }
      }
      if let place { kept[place] = index } else { kept.append(index) }
    }
    if kept.isEmpty {
      let measurement = unsafe Escaping.unescapedName(line[key.measurement].prefix(Reject.textByteCountMax))
      throw LineFault(
        .syntax, at: all[0].name.lowerBound,
        "invalid field name: input field \"time\" on measurement \"\(String(decoding: measurement, as: UTF8.self))\" is invalid"
      )
    }
    return kept
  }

  private func appendValue(_ value: LineValue, _ line: UnsafeBufferPointer<UInt8>, _ batch: LineBatch) {
    switch value {
    case .float(let value): batch.values.append(value.bitPattern)
    case .integer(let value): batch.values.append(UInt64(bitPattern: value))
    case .unsigned(let value): batch.values.append(value)
    case .boolean(let value): batch.values.append(value ? 1 : 0)
    case .string(let range):
      let offset = batch.strings.count
      unsafe Escaping.appendUnescapedString(UnsafeBufferPointer(rebasing: line[range]), to: &batch.strings)
      batch.values.append(UInt64(offset) << 32 | UInt64(batch.strings.count - offset))
    }
  }
}

extension Reject {
  /// The refusal of a line that did not end within `limit` bytes; an open quote is then what is wrong with it.
  static func tooLong(isQuoted: Bool, limit: Int, line: Int, text: UnsafeBufferPointer<UInt8>) -> Reject {
    Reject(
      reason: isQuoted ? .syntax : .tooLong, line: line, column: limit + 1,
      message: isQuoted ? "unbalanced quotes" : "line longer than \(limit) bytes",
      text: unsafe Array(text.prefix(textByteCountMax)))
  }
}
