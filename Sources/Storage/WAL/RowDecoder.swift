package import LineProtocol

/// Reads log payloads back (`RowsFormat`) into line batches, which are then placed and inserted as when they
/// came.
///
/// It is itself the names of these batches: numbers are its own, over all receivers of a segment, and lose
/// their meaning with each segment, so that memory is bounded by one segment's definitions. Foreign bytes
/// never trap: what is malformed throws `.corrupt` with the offset in the payload, and leaves the batch
/// empty.
package final class RowDecoder: RowNames {
  /// Counts the segments.
  package private(set) var generation: UInt64 = 0
  private var segment: UInt64?
  private var seriesKeys: [SeriesKey] = []
  private var lists: [[FieldKey]] = []
  private var types: [[FieldType]] = []
  private var receivers: [UInt32: Definitions] = [:]

  /// Own numbers by those of one receiver; `none` where a definition was lost.
  private struct Definitions {
    var series: [UInt32] = []
    var lists: [UInt32] = []
    static let none = UInt32.max
  }

  /// What a rows payload says before its rows.
  package struct Header: Sendable, Equatable {
    package var receiver: UInt32
    package var keyspace: KeyspaceID
    package var firstTimestamp: Int64
    package var rowCount: Int
  }

  package init() {}

  /// The series that were defined in the segment so far.
  package var definedSeries: [SeriesKey] { seriesKeys }

  package func seriesKey(_ number: UInt32) -> SeriesKey {
    Int(number) < seriesKeys.count ? seriesKeys[Int(number)] : SeriesKey(measurement: [], tags: [])
  }

  package func fieldList(_ number: UInt32) -> [FieldKey] {
    Int(number) < lists.count ? lists[Int(number)] : []
  }

  /// Takes the definitions of a `definitions` record in.
  package func define(_ payload: UnsafeRawBufferPointer, segment: UInt64) throws(StorageError) {
    begin(segment)
    var cursor = unsafe PayloadCursor(payload)
    let receiver = try UInt32(cursor.varint("receiver", max: .init(UInt32.max)))
    var definitions = receivers[receiver] ?? Definitions()
    try Self.extend(
      &definitions.series, to: cursor.varint("first series", max: RowsFormat.definitionCountMax), cursor)
    for _ in try 0..<cursor.varint("series count", max: cursor.left) {
      let start = cursor.offset
      let bytes = unsafe try cursor.bytes("series key")
      guard let key = SeriesKey(validating: unsafe Array(bytes)) else {
        throw cursor.corrupt("a well-formed series key", at: start)
      }
      definitions.series.append(UInt32(seriesKeys.count))
      seriesKeys.append(key)
    }
    try Self.extend(
      &definitions.lists, to: cursor.varint("first field list", max: RowsFormat.definitionCountMax), cursor)
    for _ in try 0..<cursor.varint("field list count", max: cursor.left) {
      let list = try Self.fieldList(&cursor)
      definitions.lists.append(UInt32(lists.count))
      lists.append(list)
      types.append(list.map(\.type))
    }
    guard cursor.left == 0 else { throw cursor.corrupt("the end of the definitions") }
    receivers[receiver] = definitions
  }

  /// What a `rows` record is about, without reading its rows.
  package static func header(of payload: UnsafeRawBufferPointer) throws(StorageError) -> Header {
    var cursor = unsafe PayloadCursor(payload)
    return try header(&cursor)
  }

  /// Reads the rows of a `rows` record, replacing what is in `batch`.
  package func decode(
    _ payload: UnsafeRawBufferPointer, segment: UInt64, into batch: LineBatch
  ) throws(StorageError) -> Header {
    begin(segment)
    batch.reset()
    do throws(StorageError) {
      var cursor = unsafe PayloadCursor(payload)
      let header = try Self.header(&cursor)
      var state = RowState(
        timestamp: header.firstTimestamp, definitions: receivers[header.receiver] ?? Definitions(), allTypes: types)
      try Self.rows(
        header.rowCount, &cursor, &state, series: &batch.series, fieldLists: &batch.fieldLists,
        timestamps: &batch.timestamps, lines: &batch.lines, values: &batch.values, strings: &batch.strings)
      guard cursor.left == 0 else { throw cursor.corrupt("the end of the rows") }
      return header
    } catch {
      batch.reset()
      throw error
    }
  }

  // MARK: Parts of payloads

  private func begin(_ segment: UInt64) {
    guard self.segment != segment else { return }
    self.segment = segment
    generation += 1
    seriesKeys.removeAll(keepingCapacity: true)
    lists.removeAll(keepingCapacity: true)
    types.removeAll(keepingCapacity: true)
    receivers.removeAll()
  }

  /// Makes place for the definitions of records that were lost.
  private static func extend(_ numbers: inout [UInt32], to first: Int, _ cursor: PayloadCursor)
    throws(StorageError)
  {
    guard first >= numbers.count else {
      throw cursor.corrupt("definitions from \(numbers.count) on, found \(first)")
    }
    while numbers.count < first { numbers.append(Definitions.none) }
  }

  private static func fieldList(_ cursor: inout PayloadCursor) throws(StorageError) -> [FieldKey] {
    let start = cursor.offset
    var keys: [FieldKey] = []
    for _ in try 0..<cursor.varint("field count", max: cursor.left) {
      let place = cursor.offset
      guard let type = try FieldType(rawValue: cursor.byte("field type")) else {
        throw cursor.corrupt("a field type, 1 to 5", at: place)
      }
      keys.append(FieldKey(name: unsafe Array(try cursor.bytes("field name")), type: type))
    }
    guard !keys.isEmpty else { throw cursor.corrupt("a field list with fields", at: start) }
    return keys
  }

  private static func header(_ cursor: inout PayloadCursor) throws(StorageError) -> Header {
    let receiver = try UInt32(cursor.varint("receiver", max: .init(UInt32.max)))
    let keyspace = try UInt32(cursor.varint("keyspace", max: .init(UInt32.max)))
    let timestamp = try Int64(bitPattern: cursor.word(8, "first timestamp"))
    // A row takes two bytes at least.
    let count = try cursor.varint("row count", max: cursor.left / 2)
    return Header(
      receiver: receiver, keyspace: KeyspaceID(keyspace), firstTimestamp: timestamp, rowCount: count)
  }

  // MARK: Rows

  /// Where the row before left off, and what is asked of this decoder for every row.
  private struct RowState {
    var timestamp: Int64
    var series: UInt32 = .max
    /// The receiver's number, and what it stands for.
    var list: UInt32 = 0
    var ownList = Definitions.none
    var types: [FieldType] = []
    let definitions: Definitions
    let allTypes: [[FieldType]]
  }

  /// Reads rows into the buffers of a batch. They are handed in one by one: an access to a property of a class is checked each time,
  /// which would cost as much as the decoding.
  private static func rows(
    _ count: Int, _ cursor: inout PayloadCursor, _ state: inout RowState, series: inout Buffer<UInt32>,
    fieldLists: inout Buffer<UInt32>, timestamps: inout Buffer<Int64>, lines: inout Buffer<UInt64>,
    values: inout Buffer<UInt64>, strings: inout Buffer<UInt8>
  ) throws(StorageError) {
    for _ in 0..<count {
      series.append(try head(&cursor, &state))
      fieldLists.append(state.ownList)
      timestamps.append(state.timestamp)
      lines.append(0)
      try self.values(&cursor, types: state.types, values: &values, strings: &strings)
    }
  }

  /// Reads what stands before a row's values; the answer is the number of its series.
  @inline(__always) private static func head(
    _ cursor: inout PayloadCursor, _ state: inout RowState
  ) throws(StorageError) -> UInt32 {
    let start = cursor.offset
    let code = try Int(cursor.byte("row"))
    guard code & 15 <= 8 else { throw cursor.corrupt("a timestamp of at most 8 bytes", at: start) }
    state.timestamp &+= RowsFormat.unzigzag(try cursor.word(code & 15, "timestamp"))
    state.series &+= 1
    if (code >> 4) & 3 != 0 { state.series = try number((code >> 4) & 3, &cursor) }
    if code >> 6 != 0 {
      state.list = try number(code >> 6, &cursor)
      state.ownList = Definitions.none
    }
    guard Int(state.series) < state.definitions.series.count,
      state.definitions.series[Int(state.series)] != Definitions.none
    else {
      throw cursor.corrupt("a defined series, found number \(state.series)", at: start)
    }
    if state.ownList == Definitions.none { try learnList(&state, cursor, at: start) }
    return state.definitions.series[Int(state.series)]
  }

  private static func learnList(
    _ state: inout RowState, _ cursor: PayloadCursor, at start: Int
  ) throws(StorageError) {
    guard Int(state.list) < state.definitions.lists.count,
      state.definitions.lists[Int(state.list)] != Definitions.none
    else {
      throw cursor.corrupt("a defined field list, found number \(state.list)", at: start)
    }
    state.ownList = state.definitions.lists[Int(state.list)]
    state.types = state.allTypes[Int(state.ownList)]
  }

  private static func number(_ size: Int, _ cursor: inout PayloadCursor) throws(StorageError) -> UInt32 {
    UInt32(truncatingIfNeeded: try cursor.word(size == 3 ? 4 : size, "number"))
  }

  @inline(__always) private static func values(
    _ cursor: inout PayloadCursor, types: borrowing [FieldType], values: inout Buffer<UInt64>,
    strings: inout Buffer<UInt8>
  ) throws(StorageError) {
    let first = values.count
    let count = types.count
    values.reserve(count)
    // Room for them all is reserved; what is written counts only at the end.
    let output = unsafe values.base + first
    var done = 0
    var hasStrings = false
    while done < count {
      let group = min(count - done, RowsFormat.groupCount)
      var codes = try cursor.word(RowsFormat.nibbleByteCount(group), "byte counts of values")
      for index in done..<done + group {
        let place = cursor.offset
        guard codes & 15 <= 8 else { throw cursor.corrupt("a value of at most 8 bytes", at: place) }
        let word = try cursor.word(Int(codes & 15), "value")
        codes >>= 4
        switch types[index] {
        case .integer: unsafe output[index] = UInt64(bitPattern: RowsFormat.unzigzag(word))
        case .float: unsafe output[index] = word.byteSwapped
        case .unsigned: unsafe output[index] = word
        case .boolean:
          guard word <= 1 else { throw cursor.corrupt("a boolean, found \(word)", at: place) }
          unsafe output[index] = word
        case .string:
          hasStrings = true
          unsafe output[index] = word
        }
      }
      guard codes == 0 else { throw cursor.corrupt("no byte counts behind the last value") }
      done += group
    }
    values.setCount(first + count)
    if hasStrings { try self.strings(&cursor, types: types, from: first, values: &values, strings: &strings) }
  }

  private static func strings(
    _ cursor: inout PayloadCursor, types: borrowing [FieldType], from first: Int, values: inout Buffer<UInt64>,
    strings: inout Buffer<UInt8>
  ) throws(StorageError) {
    for index in types.indices where types[index] == .string {
      let count = values[first + index]
      let offset = strings.count
      guard count <= UInt64(cursor.left), offset + Int(count) <= Int(UInt32.max) else {
        throw cursor.corrupt("a string of at most \(cursor.left) bytes, found \(count)")
      }
      values[first + index] = UInt64(offset) << 32 | count
      unsafe strings.append(contentsOf: cursor.take(Int(count)).bindMemory(to: UInt8.self))
    }
  }
}

extension RowDecoder {
  /// First and last timestamp of a `rows` record, a tenth of the cost of decoding it; `nil` where only decoding can tell: there
  /// are strings, or something does not hold.
  package func times(of payload: UnsafeRawBufferPointer, segment: UInt64) -> ClosedRange<Int64>? {
    guard segment == self.segment else { return nil }
    do throws(StorageError) {
      var cursor = unsafe PayloadCursor(payload)
      let header = try Self.header(&cursor)
      guard let definitions = receivers[header.receiver] else { return nil }
      return try Self.times(&cursor, header, definitions, types)
    } catch {
      return nil
    }
  }

  private static func times(
    _ cursor: inout PayloadCursor, _ header: Header, _ definitions: Definitions, _ types: [[FieldType]]
  ) throws(StorageError) -> ClosedRange<Int64>? {
    // Of a number: 0, 1, 2, 4.
    func size(_ code: Int) -> Int { code & 3 == 3 ? 4 : code & 3 }
    var (timestamp, low, high) = (header.firstTimestamp, Int64.max, Int64.min)
    var (list, valueCount) = (0, -1)
    for _ in 0..<header.rowCount {
      let code = try Int(cursor.byte("row"))
      if code & 15 > 8 { return nil }
      timestamp &+= RowsFormat.unzigzag(try cursor.word(code & 15, "timestamp"))
      low = min(low, timestamp)
      high = max(high, timestamp)
      _ = try cursor.word(size(code >> 4), "series")
      if code >> 6 != 0 {
        list = Int(try cursor.word(size(code >> 6), "field list"))
        valueCount = -1
      }
      if valueCount < 0 {
        guard list < definitions.lists.count, definitions.lists[list] != Definitions.none else { return nil }
        let known = types[Int(definitions.lists[list])]
        if known.contains(.string) { return nil }
        valueCount = known.count
      }
      var left = valueCount
      while left > 0 {
        let group = min(left, RowsFormat.groupCount)
        let codes = try cursor.word(RowsFormat.nibbleByteCount(group), "byte counts of values")
        guard cursor.skip(RowsFormat.nibbleSum(codes)) else { return nil }
        left -= group
      }
    }
    return low <= high ? low...high : nil
  }
}

/// A place in a payload; every step is checked against what is left.
@safe struct PayloadCursor {
  private let payload: UnsafeRawBufferPointer
  private(set) var offset = 0

  /// The payload must live as long as the cursor.
  @unsafe init(_ payload: UnsafeRawBufferPointer) { unsafe self.payload = payload }

  var left: Int { unsafe payload.count - offset }

  func corrupt(_ expected: String, at place: Int? = nil) -> StorageError {
    StorageError(.corrupt, offset: UInt64(place ?? offset), "expected \(expected)")
  }

  /// A LEB128 number of at most `max`.
  mutating func varint(_ what: StaticString, max: Int) throws(StorageError) -> Int {
    let start = offset
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 63 {
      let byte = try byte(what)
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 {
        guard value <= UInt64(max) else {
          throw corrupt("\(what) of at most \(max), found \(value)", at: start)
        }
        return Int(value)
      }
      shift += 7
    }
    throw corrupt("\(what), a number of at most 9 bytes", at: start)
  }

  mutating func byte(_ what: StaticString) throws(StorageError) -> UInt8 {
    guard unsafe offset < payload.count else { throw corrupt("\(what), found the end") }
    defer { offset += 1 }
    return unsafe payload[offset]
  }

  /// A little-endian number of 0 to 8 bytes.
  @inline(__always) mutating func word(_ byteCount: Int, _ what: StaticString) throws(StorageError) -> UInt64
  {
    if byteCount == 0 { return 0 }
    let left = unsafe payload.count - offset
    if left >= 8 {
      // Eight bytes are there; those past the number are cut off.
      let word = unsafe UInt64(littleEndian: payload.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += byteCount
      return word & (UInt64.max >> UInt64(64 - byteCount * 8))
    }
    guard byteCount <= left else { throw corrupt("\(what) of \(byteCount) bytes, \(left) are left") }
    var word: UInt64 = 0
    for index in 0..<byteCount { word |= UInt64(unsafe payload[offset + index]) << UInt64(index * 8) }
    offset += byteCount
    return word
  }

  /// Passes over bytes; false, and stays, where they are not there.
  @inline(__always) mutating func skip(_ count: Int) -> Bool {
    if count > left { return false }
    offset += count
    return true
  }

  /// The next bytes; the caller has checked that they are there.
  mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
    precondition(count >= 0 && count <= left, "\(count) bytes of \(left)")
    defer { offset += count }
    return unsafe UnsafeRawBufferPointer(rebasing: payload[offset..<offset + count])
  }

  /// Bytes behind their count.
  mutating func bytes(_ what: StaticString) throws(StorageError) -> UnsafeRawBufferPointer {
    let count = try varint(what, max: Int(UInt32.max))
    guard count <= left else { throw corrupt("\(what) of \(count) bytes, \(left) are left") }
    return unsafe take(count)
  }
}
