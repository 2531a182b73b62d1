import Coding
import LineProtocol

/// Finds the series of one measurement of a table that satisfy a predicate, and makes their keys.
///
/// Conditions are evaluated once a distinct value, then as sets of series: a bit each.
struct SeriesSelection {
  let table: Table
  let top: MeasurementTop
  private var decoder = BlockDecoder()
  private var values: [TagValues]
  /// Once keys were made.
  private var texts: TagTexts?
  private(set) var words: [UInt64] = []
  /// All series decoded, where the cache has them or they are few.
  private var dictionary: SeriesDictionary?

  init(table: Table, top: MeasurementTop) {
    self.table = table
    self.top = top
    if top.seriesCount <= SeriesDictionary.seriesCountMax,
      case .series(let known) = table.source.parsed(top.extent.lowerBound, .series)
    {
      dictionary = known
      values = known.values.indices.map { TagValues(source: table.source, top: top, key: $0, blocks: known.values[$0]) }
    } else {
      values = top.tagKeys.indices.map { TagValues(source: table.source, top: top, key: $0) }
    }
  }

  /// Decodes all series and keeps them, where that is worth it: they are few, or all are asked for anyway.
  private mutating func loadDictionary(allAsked: Bool) throws(StorageError) -> SeriesDictionary? {
    if let dictionary { return dictionary }
    let countMax = allAsked ? SeriesDictionary.seriesCountMax : SeriesDictionary.smallSeriesCountMax
    guard top.seriesCount <= countMax else { return nil }
    var list = try makeList(BitVector(repeating: true, count: top.seriesCount), from: 0..<top.seriesCount)
    list.rowGroupCount = top.rowGroupCount
    var codes: [[UInt64]] = []
    var blocks: [[TagValues.Block?]] = []
    for index in top.tagKeys.indices {
      try load(top.tagKeys[index].codes, rows: 0..<top.seriesCount)
      codes.append(words)
      blocks.append(try values[index].loadAll())
    }
    let made = SeriesDictionary(list: list, codes: codes, values: blocks)
    table.source.keep(.series(made), top.extent.lowerBound, .series)
    dictionary = made
    return made
  }

  /// The series that satisfy `predicate` (`nil`: all), in order.
  mutating func list(where predicate: TagPredicate?) throws(StorageError) -> SeriesList {
    var list = SeriesList()
    switch try chosen(by: predicate) {
    case .set(let set): list = try makeList(set, from: 0..<top.seriesCount)
    case .notByFilter: list.isSkippedByFilter = true
    case .notByKeys: break
    }
    list.rowGroupCount = top.rowGroupCount
    return list
  }

  /// What a predicate leaves, a bit a series.
  enum Choice {
    case set(BitVector)
    /// The Bloom filter lacks a value.
    case notByFilter
    /// No series has a tag key.
    case notByKeys
  }

  mutating func chosen(by predicate: TagPredicate?) throws(StorageError) -> Choice {
    guard let predicate else {
      _ = try loadDictionary(allAsked: true)
      return .set(BitVector(repeating: true, count: top.seriesCount))
    }
    switch try standing(of: predicate) {
    case .mayBeHere:
      _ = try loadDictionary(allAsked: false)
      return .set(try evaluate(predicate))
    case .notByFilter: return .notByFilter
    case .notByKeys: return .notByKeys
    }
  }

  var seriesCount: Int { top.seriesCount }
  var rowGroupCount: Int { top.rowGroupCount }

  /// Some series by their numbers, in order.
  mutating func list(ordinals: Range<Int>) throws(StorageError) -> SeriesList {
    var set = BitVector(repeating: false, count: top.seriesCount)
    for ordinal in ordinals { set[ordinal] = true }
    return try makeList(set, from: 0..<top.seriesCount)
  }

  /// What is known of a condition before values are looked at.
  private enum Standing {
    case mayBeHere
    /// The Bloom filter lacks a value.
    case notByFilter
    /// No series has a tag key.
    case notByKeys
  }

  /// Whether every value that all series must have may be here.
  private func standing(of predicate: TagPredicate) throws(StorageError) -> Standing {
    switch predicate {
    case .and(let a, let b):
      let first = try standing(of: a)
      return first == .mayBeHere ? try standing(of: b) : first
    case .equals(let key, let value) where !value.isEmpty:
      guard top.tagKeys.contains(where: { $0.name == key }) else { return .notByKeys }
      return mayContain(key, value) ? .mayBeHere : .notByFilter
    default: return .mayBeHere
    }
  }

  /// What the Bloom filter says. One that is damaged says nothing: the tag index answers.
  private func mayContain(_ key: [UInt8], _ value: [UInt8]) -> Bool {
    do throws(StorageError) {
      return try table.mayContain(measurement: top.name, tagKey: key, value: value)
    } catch {
      return true
    }
  }

  private mutating func evaluate(_ predicate: TagPredicate) throws(StorageError) -> BitVector {
    switch predicate {
    case .equals(let key, let value): return try equal(key, value)
    case .notEquals(let key, let value):
      var set = try equal(key, value)
      set.invert()
      return set
    case .isOneOf(let key, let values): return try oneOf(key, values)
    case .matches(let key, let regex): return try matching(key, regex)
    case .and(let a, let b):
      var set = try evaluate(a)
      if !set.isEmpty { set.formIntersection(try evaluate(b)) }
      return set
    case .or(let a, let b):
      var set = try evaluate(a)
      set.formUnion(try evaluate(b))
      return set
    case .not(let a):
      var set = try evaluate(a)
      set.invert()
      return set
    case .constant(let answer): return BitVector(repeating: answer, count: top.seriesCount)
    }
  }

  /// The series whose value of a tag is `value`; the empty value is that of an absent tag.
  private mutating func equal(_ key: [UInt8], _ value: [UInt8]) throws(StorageError) -> BitVector {
    guard let index = top.tagKeys.firstIndex(where: { $0.name == key }) else {
      return BitVector(repeating: value.isEmpty, count: top.seriesCount)
    }
    let place = try values[index].place(of: value)
    if !value.isEmpty {
      guard let place else { return BitVector(repeating: false, count: top.seriesCount) }
      if top.tagKeys[index].isIndexed { return try indexed(index, place) }
      return try scan(index) { $0 == UInt64(place + 1) }
    }
    let code = UInt64((place ?? -1) + 1)
    return try scan(index) { $0 == 0 || $0 == code }
  }

  /// The series whose value is one of many: each is found in the dictionary, then the column is looked at once.
  private mutating func oneOf(_ key: [UInt8], _ wanted: TagValueList) throws(StorageError) -> BitVector {
    let isAbsentWanted = wanted.contains([])
    guard let index = top.tagKeys.firstIndex(where: { $0.name == key }) else {
      return BitVector(repeating: isAbsentWanted, count: top.seriesCount)
    }
    // Bit `code`: whether series with that code are taken.
    var codes = BitVector(repeating: false, count: top.tagKeys[index].valueCount + 1)
    codes[0] = isAbsentWanted
    for value in 0..<wanted.count {
      if let place = try values[index].place(of: Array(wanted.bytes[wanted.range(value)])) { codes[place + 1] = true }
    }
    let count = UInt64(codes.count)
    return try scan(index) { $0 < count && codes[Int($0)] }
  }

  /// The series whose value matches; each distinct value is looked at once.
  private mutating func matching(_ key: [UInt8], _ regex: Regex) throws(StorageError) -> BitVector {
    let isAbsentMatching = regex.matches([UInt8]())
    guard let index = top.tagKeys.firstIndex(where: { $0.name == key }) else {
      return BitVector(repeating: isAbsentMatching, count: top.seriesCount)
    }
    // Bit `code`: whether series with that code are taken.
    var codes = BitVector(repeating: isAbsentMatching, count: 1)
    for block in 0..<top.tagKeys[index].values.count {
      let loaded = try values[index].load(block)
      for value in 0..<loaded.starts.count - 1 { codes.append(regex.matches(loaded.value(value)), count: 1) }
    }
    let last = UInt64(codes.count)
    return try scan(index) { $0 < last && codes[Int($0)] }
  }

  /// The series whose code of a tag key is wanted.
  private mutating func scan(_ key: Int, _ isWanted: (UInt64) -> Bool) throws(StorageError) -> BitVector {
    var set = BitVector(repeating: false, count: top.seriesCount)
    if let dictionary {
      for (index, code) in dictionary.codes[key].enumerated() where isWanted(code) { set[index] = true }
      return set
    }
    for start in stride(from: 0, to: top.seriesCount, by: TableFormat.stripeCount) {
      let rows = start..<min(start + TableFormat.stripeCount, top.seriesCount)
      try load(top.tagKeys[key].codes, rows: rows)
      for (index, code) in words.enumerated() where isWanted(code) { set[start + index] = true }
    }
    return set
  }

  /// The values that the series of a set have of a tag key, in order, at least the first `countMax`.
  mutating func values(
    of key: Int, in set: BitVector, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList {
    let valueCount = top.tagKeys[key].valueCount
    var used = BitVector(repeating: false, count: valueCount + 1)
    for start in stride(from: 0, to: top.seriesCount, by: TableFormat.stripeCount) {
      if isCancelled() { throw StorageError(.cancelled, "told to stop") }
      let rows = start..<min(start + TableFormat.stripeCount, top.seriesCount)
      var at = start
      let codes = set.firstOne(in: rows) == nil ? [] : try codes(of: key, rows)
      while let ordinal = set.firstOne(in: at..<rows.upperBound) {
        let code = codes[codes.startIndex + ordinal - start]
        guard code <= UInt64(valueCount) else {
          throw table.source.corrupt(top.tagKeys[key].codes.handle(0), "value \(code) of a tag with \(valueCount)")
        }
        used[Int(code)] = true
        at = ordinal + 1
      }
    }
    return try values[key].list(of: used, countMax: countMax)
  }

  /// What stands for the values of a tag key of some series.
  private mutating func codes(of key: Int, _ rows: Range<Int>) throws(StorageError) -> ArraySlice<UInt64> {
    if let dictionary { return dictionary.codes[key][rows] }
    try load(top.tagKeys[key].codes, rows: rows)
    return words[...]
  }

  /// The series that the tag index names for a value.
  private mutating func indexed(_ key: Int, _ place: Int) throws(StorageError) -> BitVector {
    let tag = top.tagKeys[key]
    var set = BitVector(repeating: false, count: top.seriesCount)
    words.removeAll(keepingCapacity: true)
    let first = max(place - 1, 0)
    try table.source.decode(
      tag.postingEnds, kind: .unsigned, count: tag.valueCount, rows: first..<place + 1, with: &decoder,
      into: &words)
    let (start, end) = (place == 0 ? 0 : words[0], words[words.count - 1])
    let total = try postingCount(tag)
    guard start < end, end <= UInt64(total) else {
      throw table.source.corrupt(
        tag.postingEnds.handle(0), "ordinals \(start)..<\(end) of \(total) for one value")
    }
    words.removeAll(keepingCapacity: true)
    try table.source.decode(
      tag.postings, kind: .unsigned, count: total, rows: Int(start)..<Int(end), with: &decoder, into: &words)
    for ordinal in words {
      guard ordinal < UInt64(top.seriesCount) else {
        throw table.source.corrupt(tag.postings.handle(0), "ordinal \(ordinal) of \(top.seriesCount) series")
      }
      set[Int(ordinal)] = true
    }
    return set
  }

  /// Ordinals in the index of a tag key: the end of the last value's.
  private mutating func postingCount(_ tag: MeasurementTop.TagKey) throws(StorageError) -> Int {
    var ends: [UInt64] = []
    try table.source.decode(
      tag.postingEnds, kind: .unsigned, count: tag.valueCount, rows: tag.valueCount - 1..<tag.valueCount,
      with: &decoder, into: &ends)
    let blocks = (Int(clamping: ends[0]) + TableFormat.stripeCount - 1) / TableFormat.stripeCount
    guard ends[0] <= UInt64(top.seriesCount), blocks == tag.postings.count else {
      throw table.source.corrupt(
        tag.postingEnds.handle(0), "\(ends[0]) ordinals of \(top.seriesCount) series")
    }
    return Int(ends[0])
  }

  mutating func load(
    _ run: BlockRun, kind: ColumnKind = .unsigned, rows: Range<Int>
  ) throws(StorageError) {
    words.removeAll(keepingCapacity: true)
    try table.source.decode(
      run, kind: kind, count: top.seriesCount, rows: rows, with: &decoder, into: &words)
  }

  /// Makes the keys of the series of a set that lie among `ordinals`; columns are decoded only where it has members.
  mutating func makeList(_ set: BitVector, from ordinals: Range<Int>) throws(StorageError) -> SeriesList {
    if ordinals == 0..<top.seriesCount, let dictionary { return dictionary.list(of: set) }
    var list = SeriesList()
    var keys = Buffer<UInt8>(capacity: 1 << 12)
    let first = ordinals.lowerBound - ordinals.lowerBound % TableFormat.miniBlockCount
    for start in stride(from: first, to: ordinals.upperBound, by: TableFormat.miniBlockCount) {
      let rows = start..<min(start + TableFormat.miniBlockCount, top.seriesCount)
      guard set.firstOne(in: rows) != nil else { continue }
      try appendKeys(rows, of: set, by: &keys, to: &list)
      if start == first, list.count == rows.count { list.reserve(perKey: list.keyBytes.count / list.count, count: ordinals.count) }
    }
    return list
  }

  /// - Parameter keys: scratch.
  private mutating func appendKeys(
    _ rows: Range<Int>, of set: BitVector, by keys: inout Buffer<UInt8>, to list: inout SeriesList
  ) throws(StorageError) {
    let (firsts, lasts) = try decodeTimes(rows)
    // Column by column, so that one array holds the codes of all tag keys.
    words.removeAll(keepingCapacity: true)
    for key in top.tagKeys {
      try table.source.decode(key.codes, kind: .unsigned, count: top.seriesCount, rows: rows, with: &decoder, into: &words)
    }
    var texts = if let texts { texts } else { TagTexts(top) }
    // One owner at a time, so that nothing is copied.
    self.texts = nil
    defer { self.texts = texts }
    keys.reset()
    let start = list.keyBytes.count
    var at = rows.lowerBound
    while let ordinal = set.firstOne(in: at..<rows.upperBound) {
      let index = ordinal - rows.lowerBound
      try appendKey(index, of: rows.count, texts: &texts, to: &keys)
      list.keyEnds.append(start + keys.count)
      list.ordinals.append(UInt32(ordinal))
      list.firstTimestamps.append(Int64(bitPattern: firsts[index]))
      list.lastTimestamps.append(Int64(bitPattern: lasts[index]))
      at = ordinal + 1
    }
    unsafe list.keyBytes.append(contentsOf: keys.elements)
  }

  /// Appends the key of a series, the one at `index` among those whose codes were decoded.
  @inline(__always) private mutating func appendKey(
    _ index: Int, of count: Int, texts: inout TagTexts, to keys: inout Buffer<UInt8>
  ) throws(StorageError) {
    var tagCount = 0
    for key in values.indices where words[key * count + index] > 0 { tagCount += 1 }
    texts.beginKey(tagCount: tagCount, in: &keys)
    for key in values.indices {
      let code = words[key * count + index]
      if code == 0 { continue }
      if !texts.has(code, of: key) { try texts.seek(code, of: key, in: &values[key]) }
      texts.append(code, of: key, to: &keys)
    }
  }
}

/// The series of a table that satisfy a predicate, as many at a time as are asked for.
struct TableSeriesCursor: SeriesCursor {
  private var selection: SeriesSelection
  private let choice: SeriesSelection.Choice
  /// Nothing is left out by a condition.
  private let hasAll: Bool
  private var next = 0
  private var isBegun = false

  init(_ selection: consuming SeriesSelection, where predicate: TagPredicate?) throws(StorageError) {
    // Not copied: what it decodes would be copied too.
    self.selection = selection
    hasAll = predicate == nil
    choice = try self.selection.chosen(by: predicate)
  }

  func hasSeries(of other: any SeriesCursor) throws(StorageError) -> Bool {
    guard let other = other as? TableSeriesCursor, hasAll, other.hasAll else { return false }
    return try selection.hasSeries(of: other.selection)
  }

  mutating func appendTimes(
    of ordinals: ArraySlice<UInt32>, to list: inout SeriesTimes
  ) throws(StorageError) {
    try selection.appendTimes(of: ordinals, to: &list)
  }

  var isSkippedByFilter: Bool {
    if case .notByFilter = choice { true } else { false }
  }

  mutating func next(_ countMax: Int) throws(StorageError) -> SeriesList? {
    defer { isBegun = true }
    guard case .set(let set) = choice else {
      if isBegun { return nil }
      var none = SeriesList()
      none.isSkippedByFilter = isSkippedByFilter
      none.rowGroupCount = selection.rowGroupCount
      return none
    }
    // Blocks are decoded whole: a piece ends where one does.
    let unit = TableFormat.miniBlockCount
    let length = max(countMax / unit, 1) * unit
    while next < selection.seriesCount || !isBegun {
      let range = next..<min(next + length, selection.seriesCount)
      var list = try selection.makeList(set, from: range)
      next = range.upperBound
      if list.count == 0 && isBegun { continue }
      list.rowGroupCount = isBegun ? 0 : selection.rowGroupCount
      return list
    }
    return nil
  }
}
