package import LineProtocol

/// Writes one receiver's batches as log payloads (`RowsFormat`). Belongs to one thread.
///
/// For each spelling and field list it keeps the number under which the open segment knows it. What an
/// `encode` defines counts only once `confirm` says that its payloads are in the log; otherwise the next
/// `encode` defines it again.
@safe package final class RowEncoder {
  /// Differs from that of every other receiver of the store since its start.
  package let receiver: UInt32
  /// The payload of the `definitions` record of the last `encode`; empty where nothing was new: then write
  /// none.
  package private(set) var definitions = Buffer<UInt8>()
  /// The payload of the `rows` record of the last `encode`.
  package private(set) var rows = Buffer<UInt8>()

  /// What the loop wants to know of a field list.
  private struct Shape {
    var valueCount: UInt32 = 0
    var kind = RowsFormat.Shape.mixed
    var hasStrings = false
  }

  /// No name has this number.
  private static let undefined = UInt32.max

  private var segment: UInt64?
  private var namesGeneration: UInt64?
  /// By spelling: the number under which the segment knows it.
  private var seriesNumbers = Buffer<UInt32>()
  private var listNumbers = Buffer<UInt32>()
  private var shapes = Buffer<Shape>()
  private var types: [[FieldType]] = []
  private var seriesCount: UInt32 = 0
  private var listCount: UInt32 = 0
  /// What the unconfirmed `encode` defined.
  private var pendingSeries = Buffer<UInt32>()
  private var pendingLists = Buffer<UInt32>()
  private var newSeries = Buffer<UInt8>()
  private var newLists = Buffer<UInt8>()

  package init(receiver: UInt32) { self.receiver = receiver }

  /// Bytes of what is kept of the names.
  package var memoryByteCount: Int { (seriesNumbers.count + listNumbers.count) * 4 }

  /// Encodes the rows of a batch that are not refused, replacing `definitions` and `rows`.
  ///
  /// - Parameters:
  ///   - names: what the batch's numbers mean; always the same object for one encoder.
  ///   - placement: made of this batch.
  ///   - segment: that into which the payloads are to go, never one before the last. If another is open when
  ///     they are appended, encode again.
  package func encode(
    _ batch: LineBatch, names: some RowNames, placement: borrowing RowPlacement, keyspace: KeyspaceID,
    segment: UInt64
  ) {
    withdrawUnconfirmed()
    begin(segment, names: names)
    rows.reset()
    definitions.reset()
    newSeries.reset()
    newLists.reset()
    let first = placement.stretches.first { $0.window >= 0 }?.rows.lowerBound
    rows.appendVarint(UInt64(receiver))
    rows.appendVarint(UInt64(keyspace.number))
    appendFixed(UInt64(bitPattern: first.map { batch.timestamps[$0] } ?? 0), to: &rows)
    rows.appendVarint(UInt64(placement.acceptedCount))
    var state = RowState(timestamp: first.map { batch.timestamps[$0] } ?? 0)
    for stretch in placement.stretches {
      precondition(stretch.rows.upperBound <= batch.count, "rows \(stretch.rows) of \(batch.count)")
      if stretch.window < 0 {
        for row in stretch.rows {
          let list = Int(batch.fieldLists[row])
          if list >= shapes.count { learn(list: list, spelling: 0, names: names) }
          state.valueOffset += Int(shapes[list].valueCount)
        }
      } else {
        append(batch, rows: stretch.rows, state: &state, names: names, to: &rows)
      }
    }
    finishDefinitions()
  }

  /// The payloads of the last `encode` are in the log: its definitions hold.
  package func confirm() {
    pendingSeries.reset()
    pendingLists.reset()
  }

  // MARK: Rows

  /// What a row is written relative to.
  private struct RowState {
    var timestamp: Int64
    var series: UInt32 = .max
    var list: UInt32 = 0
    var valueOffset = 0
  }

  /// What the loop knows by heart: pointers to this object's tables, good until one of them grows.
  @safe private struct Tables {
    let series: UnsafeMutablePointer<UInt32>
    let seriesCount: Int
    let lists: UnsafeMutablePointer<UInt32>
    let shapes: UnsafeMutablePointer<Shape>
    let listCount: Int
  }

  private var tables: Tables {
    unsafe Tables(
      series: seriesNumbers.base, seriesCount: seriesNumbers.count, lists: listNumbers.base,
      shapes: shapes.base,
      listCount: shapes.count)
  }

  private func append(
    _ batch: LineBatch, rows range: Range<Int>, state: inout RowState, names: some RowNames,
    to rows: inout Buffer<UInt8>
  ) {
    // Pointers into buffers that nobody changes before this returns; `range` lies in all of them (checked by
    // the caller), values and room for output are checked row by row.
    let allSeries = unsafe batch.series.base
    let allLists = unsafe batch.fieldLists.base
    let timestamps = unsafe batch.timestamps.base
    let values = unsafe batch.values.base
    let valueCountMax = batch.values.count
    var tables = tables
    for row in range {
      let (spelling, list) = unsafe (Int(allSeries[row]), Int(allLists[row]))
      if list >= tables.listCount || spelling >= tables.seriesCount {
        learn(list: list, spelling: spelling, names: names)
        tables = self.tables
      }
      // Both were checked to lie in their tables.
      var series = unsafe tables.series[spelling]
      if series == Self.undefined { series = define(series: spelling, names: names) }
      var listNumber = unsafe tables.lists[list]
      if listNumber == Self.undefined { listNumber = define(list: list, names: names) }
      let shape = unsafe tables.shapes[list]
      let valueCount = Int(shape.valueCount)
      precondition(state.valueOffset &+ valueCount <= valueCountMax, "the batch's values end before its rows")

      // Header of at most 17 bytes, nibbles of 8 a group, values of 8, and 8 for stores that reach past the
      // end.
      rows.reserve(25 &+ (valueCount &>> 4 &+ 1) &* 8 &+ valueCount &* 8)
      let start = unsafe UnsafeMutableRawPointer(rows.base + rows.count)
      var out = unsafe start
      unsafe Self.putHeader(
        &out, timestamp: timestamps[row], series: series, list: listNumber, state: &state)
      let source = unsafe values + state.valueOffset
      switch shape.kind {
      case .integers:
        unsafe Self.putGroups(&out, source, valueCount) { word, _ in
          RowsFormat.zigzag(Int64(bitPattern: word))
        }
      case .floats:
        unsafe Self.putGroups(&out, source, valueCount) { word, _ in word.byteSwapped }
      case .mixed:
        unsafe putMixed(&out, source, list: list)
      }
      state.valueOffset &+= valueCount
      rows.setCount(unsafe rows.count &+ (out - start))
      if shape.hasStrings { unsafe appendStrings(source, list: list, of: batch, to: &rows) }
    }
  }

  @inline(__always) private static func putHeader(
    _ out: inout UnsafeMutableRawPointer, timestamp: Int64, series: UInt32, list: UInt32,
    state: inout RowState
  ) {
    let control = unsafe out
    unsafe out += 1
    let distance = RowsFormat.zigzag(timestamp &- state.timestamp)
    var code = UInt64(truncatingIfNeeded: RowsFormat.width(distance))
    unsafe out.storeBytes(of: distance.littleEndian, as: UInt64.self)
    unsafe out += Int(code)
    if series != state.series &+ 1 {
      let size = series <= 0xff ? 1 : series <= 0xffff ? 2 : 3
      unsafe out.storeBytes(of: series.littleEndian, as: UInt32.self)
      unsafe out += size == 3 ? 4 : size
      code |= UInt64(size) &<< 4
    }
    if list != state.list {
      let size = list <= 0xff ? 1 : list <= 0xffff ? 2 : 3
      unsafe out.storeBytes(of: list.littleEndian, as: UInt32.self)
      unsafe out += size == 3 ? 4 : size
      code |= UInt64(size) &<< 6
    }
    unsafe control.storeBytes(of: UInt8(truncatingIfNeeded: code), as: UInt8.self)
    state.timestamp = timestamp
    state.series = series
    state.list = list
  }

  /// Each value is stored as 8 bytes and the end moved by as many as it needs: no branch but the loop's.
  @inline(__always) private static func putGroups(
    _ out: inout UnsafeMutableRawPointer, _ source: UnsafeMutablePointer<UInt64>, _ count: Int,
    transform: (UInt64, Int) -> UInt64
  ) {
    var done = 0
    while done < count {
      let group = min(count &- done, RowsFormat.groupCount)
      let nibbles = unsafe out
      unsafe out += RowsFormat.nibbleByteCount(group)
      var codes: UInt64 = 0
      var shift: UInt64 = 0
      for index in 0..<group {
        let word = unsafe transform(source[done &+ index], done &+ index)
        let width = RowsFormat.width(word)
        unsafe out.storeBytes(of: word.littleEndian, as: UInt64.self)
        unsafe out += width
        codes |= UInt64(truncatingIfNeeded: width) &<< shift
        shift &+= 4
      }
      switch group {
      case ...2: unsafe nibbles.storeBytes(of: UInt8(truncatingIfNeeded: codes), as: UInt8.self)
      case ...4:
        unsafe nibbles.storeBytes(of: UInt16(truncatingIfNeeded: codes).littleEndian, as: UInt16.self)
      case ...8:
        unsafe nibbles.storeBytes(of: UInt32(truncatingIfNeeded: codes).littleEndian, as: UInt32.self)
      default: unsafe nibbles.storeBytes(of: codes.littleEndian, as: UInt64.self)
      }
      done &+= group
    }
  }

  private func putMixed(
    _ out: inout UnsafeMutableRawPointer, _ source: UnsafeMutablePointer<UInt64>, list: Int
  ) {
    unsafe types[list].withUnsafeBufferPointer { types in
      unsafe Self.putGroups(&out, source, types.count) { word, index in
        switch unsafe types[index] {
        case .integer: RowsFormat.zigzag(Int64(bitPattern: word))
        case .float: word.byteSwapped
        case .unsigned, .boolean: word
        case .string: word & 0xffff_ffff
        }
      }
    }
  }

  private func appendStrings(
    _ source: UnsafeMutablePointer<UInt64>, list: Int, of batch: LineBatch, to rows: inout Buffer<UInt8>
  ) {
    let strings = unsafe batch.strings.elements
    for (index, type) in types[list].enumerated() where type == .string {
      let (offset, count) = unsafe (Int(source[index] >> 32), Int(source[index] & 0xffff_ffff))
      precondition(
        offset + count <= strings.count, "string at \(offset) of \(count) bytes, past \(strings.count)")
      unsafe rows.append(contentsOf: UnsafeBufferPointer(rebasing: strings[offset..<offset + count]))
    }
  }

  // MARK: Definitions

  private func begin(_ segment: UInt64, names: some RowNames) {
    if namesGeneration != names.generation {
      namesGeneration = names.generation
      // Memory is given back too: it grew with the names that are forgotten.
      seriesNumbers = Buffer()
      listNumbers.reset()
      shapes.reset()
      types.removeAll(keepingCapacity: true)
    }
    if self.segment != segment {
      precondition(
        segment > self.segment ?? 0 && segment < 0xffff_ffff, "segment \(segment) after \(self.segment ?? 0)")
      self.segment = segment
      // A comparison a row with the segment of each name would cost twice the memory: millions of names, a segment a second at most.
      for index in 0..<seriesNumbers.count { seriesNumbers[index] = Self.undefined }
      for index in 0..<listNumbers.count { listNumbers[index] = Self.undefined }
      seriesCount = 0
      listCount = 0
    }
  }

  /// Takes back what an `encode` defined that did not reach the log.
  private func withdrawUnconfirmed() {
    for index in 0..<pendingSeries.count { seriesNumbers[Int(pendingSeries[index])] = Self.undefined }
    for index in 0..<pendingLists.count { listNumbers[Int(pendingLists[index])] = Self.undefined }
    seriesCount -= UInt32(pendingSeries.count)
    listCount -= UInt32(pendingLists.count)
    confirm()
  }

  @inline(never) private func define(series spelling: Int, names: some RowNames) -> UInt32 {
    unsafe names.withSeriesKey(UInt32(spelling)) { key in
      newSeries.appendVarint(UInt64(key.count))
      unsafe newSeries.append(contentsOf: key)
    }
    let number = seriesCount
    seriesCount += 1
    seriesNumbers[spelling] = number
    pendingSeries.append(UInt32(spelling))
    return number
  }

  @inline(never) private func define(list: Int, names: some RowNames) -> UInt32 {
    let keys = names.fieldList(UInt32(list))
    newLists.appendVarint(UInt64(keys.count))
    for key in keys {
      newLists.append(key.type.rawValue)
      newLists.appendVarint(UInt64(key.name.count))
      unsafe key.name.withUnsafeBufferPointer { unsafe newLists.append(contentsOf: $0) }
    }
    let number = listCount
    listCount += 1
    listNumbers[list] = number
    pendingLists.append(UInt32(list))
    return number
  }

  private func finishDefinitions() {
    if pendingSeries.count == 0, pendingLists.count == 0 { return }
    definitions.appendVarint(UInt64(receiver))
    definitions.appendVarint(UInt64(seriesCount) - UInt64(pendingSeries.count))
    definitions.appendVarint(UInt64(pendingSeries.count))
    unsafe definitions.append(contentsOf: newSeries.elements)
    definitions.appendVarint(UInt64(listCount) - UInt64(pendingLists.count))
    definitions.appendVarint(UInt64(pendingLists.count))
    unsafe definitions.append(contentsOf: newLists.elements)
  }

  /// Makes place for a spelling, and learns the shapes of all field lists up to one.
  @inline(never) private func learn(list: Int, spelling: Int, names: some RowNames) {
    while seriesNumbers.count <= spelling { seriesNumbers.append(Self.undefined) }
    while shapes.count <= list {
      let fields = names.fieldList(UInt32(shapes.count)).map(\.type)
      precondition(!fields.isEmpty, "field list \(shapes.count) has no fields")
      let kind: RowsFormat.Shape =
        fields.allSatisfy { $0 == .integer }
        ? .integers : fields.allSatisfy { $0 == .float } ? .floats : .mixed
      shapes.append(Shape(valueCount: UInt32(fields.count), kind: kind, hasStrings: fields.contains(.string)))
      types.append(fields)
      listNumbers.append(Self.undefined)
    }
  }

  private func appendFixed(_ value: UInt64, to out: inout Buffer<UInt8>) {
    var rest = value
    for _ in 0..<8 {
      out.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
}
