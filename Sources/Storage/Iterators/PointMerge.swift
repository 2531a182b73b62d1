import LineProtocol

/// Joins rows of one series from several runs: the union of their times, and for each column the value of the highest run
/// that has one. Column by column, a stretch of rows at a time.
struct PointMerge {
  /// The union of the inputs' times.
  private(set) var timestamps: [Int64] = []
  private var scratch: [Int64] = []
  private var other: [Int64] = []
  /// Where each input lies in the union.
  private var segments: [TimeUnion.Overlap] = []
  private var segmentEnds: [Int] = []

  /// Lays the inputs' rows beside each other. Input `i` is `rows` of a batch with strictly ascending timestamps.
  mutating func align(_ inputs: [(timestamps: [Int64], rows: Range<Int>)]) {
    timestamps.removeAll(keepingCapacity: true)
    segments.removeAll(keepingCapacity: true)
    segmentEnds.removeAll(keepingCapacity: true)
    if let first = inputs.first { timestamps.append(contentsOf: first.timestamps[first.rows]) }
    for input in inputs.dropFirst() {
      other.removeAll(keepingCapacity: true)
      other.append(contentsOf: input.timestamps[input.rows])
      TimeUnion.merge(timestamps, other, into: &scratch)
      swap(&timestamps, &scratch)
    }
    for input in inputs {
      TimeUnion.appendSegments(of: input.timestamps[input.rows], in: timestamps, to: &segments)
      segmentEnds.append(segments.count)
    }
  }

  /// Makes a column of as many rows as the union, none present.
  func clear(_ column: inout Column) {
    column.reset()
    column.values.append(contentsOf: repeatElement(0, count: timestamps.count))
    column.validity.append(contentsOf: repeatElement(0, count: (timestamps.count + 63) / 64))
  }

  /// Lays an input's column over what lower inputs left. Inputs must come ascending by sequence number.
  ///
  /// - Throws: `.limit` if the strings of one stretch pass 4 GiB.
  func overlay(
    _ source: borrowing Column, of input: Int, _ conversion: ValueConversion, onto column: inout Column
  ) throws(StorageError) {
    guard source.presentCount > 0 else { return }
    let places = segments[(input == 0 ? 0 : segmentEnds[input - 1])..<segmentEnds[input]]
    if let last = places.last {
      precondition(
        last.source + last.count <= source.values.count
          && (source.validity.isEmpty || last.source + last.count <= source.validity.count * 64),
        "column of \(source.values.count) rows is shorter than its batch")
    }
    for place in places {
      for start in stride(from: 0, to: place.count, by: 64) {
        let count = min(64, place.count - start)
        let present = Validity.bits(source.validity, at: place.source + start, count: count)
        guard present != 0 else { continue }
        let chunk = TimeUnion.Overlap(
          source: place.source + start, target: place.target + start, count: count)
        if conversion == .string {
          try Self.placeStrings(source, present, chunk, onto: &column)
        } else {
          Self.placeWords(source.values, present, chunk, conversion, onto: &column)
        }
      }
    }
  }

  /// Counts what is present and brings the column into the form that batches have.
  func settle(_ column: inout Column) {
    column.presentCount = column.validity.reduce(0) { $0 + $1.nonzeroBitCount }
    if column.presentCount == 0 { column.values.removeAll(keepingCapacity: true) }
    if column.presentCount == 0 || column.presentCount == timestamps.count {
      column.validity.removeAll(keepingCapacity: true)
    }
  }

  /// Up to 64 numbers.
  private static func placeWords(
    _ source: [UInt64], _ present: UInt64, _ chunk: TimeUnion.Overlap, _ conversion: ValueConversion,
    onto column: inout Column
  ) {
    var shown = present
    // Bounds: the segment ends inside the source (checked by `overlay`) and inside the union, for which `clear` made room.
    unsafe source.withUnsafeBufferPointer { from in
      unsafe column.values.withUnsafeMutableBufferPointer { to in
        if conversion == .identity, present == Validity.mask(chunk.count), let base = to.baseAddress,
          let first = from.baseAddress
        {
          unsafe (base + chunk.target).update(from: first + chunk.source, count: chunk.count)
          return
        }
        if conversion == .integerToFloat, present == Validity.mask(chunk.count) {
          for row in 0..<chunk.count {
            unsafe to[chunk.target &+ row] = Double(Int64(bitPattern: from[chunk.source &+ row])).bitPattern
          }
          return
        }
        var rest = present
        while rest != 0 {
          let bit = rest.trailingZeroBitCount
          rest &= rest &- 1
          let word = unsafe conversion.convert(from[chunk.source &+ bit])
          unsafe to[chunk.target &+ bit] = word ?? 0
          if word == nil { shown &= ~(1 << UInt64(bit)) }
        }
      }
    }
    Validity.clear(&column.validity, at: chunk.target, present & ~shown)
    Validity.set(&column.validity, at: chunk.target, shown)
  }

  /// Up to 64 strings.
  private static func placeStrings(
    _ source: borrowing Column, _ present: UInt64, _ chunk: TimeUnion.Overlap, onto column: inout Column
  ) throws(StorageError) {
    var rest = present
    while rest != 0 {
      let bit = rest.trailingZeroBitCount
      rest &= rest &- 1
      let (offset, text) = (column.bytes.count, source.string(chunk.source + bit))
      guard offset + text.count <= UInt32.max else {
        throw StorageError(.limit, "strings of one stretch of \(source.key.name.count)-byte field pass 4 GiB")
      }
      column.bytes.append(contentsOf: text)
      column.values[chunk.target + bit] = UInt64(offset) << 32 | UInt64(text.count)
    }
    Validity.set(&column.validity, at: chunk.target, present)
  }
}
