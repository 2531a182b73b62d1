import LineProtocol

/// Joins rows of one series from several runs: the union of their times, and for each column the value of the highest run
/// that has one. Column by column, 64 rows of the union at a time.
struct PointMerge {
  /// The union of the inputs' times.
  private(set) var timestamps: [Int64] = []
  /// Scratch: of two inputs, and of more.
  private var marks = TimeUnion.Marks()
  private var first: [Int64] = []
  private var second: [Int64] = []
  private var heads = TimeHeads()
  /// The rows of each input's batch.
  private var rows: [Range<Int>] = []
  /// A bit for each row of the union, input after input: whether the input has it.
  private var masks: [UInt64] = []
  private var wordCount: Int { (timestamps.count + 63) / 64 }

  /// Lays the inputs' rows beside each other. Input `i` is `rows` of a batch with strictly ascending timestamps.
  mutating func align(_ inputs: [(timestamps: [Int64], rows: Range<Int>)]) {
    rows.removeAll(keepingCapacity: true)
    for input in inputs { rows.append(input.rows) }
    guard inputs.count <= 2 else { return heads.merge(inputs, into: &timestamps, masks: &masks) }
    Self.copy(inputs.first, to: &first)
    Self.copy(inputs.dropFirst().first, to: &second)
    TimeUnion.merge(first, second, into: &timestamps, marks: &marks)
    masks.removeAll(keepingCapacity: true)
    masks.append(contentsOf: marks.a)
    masks.append(contentsOf: marks.b)
  }

  private static func copy(_ input: (timestamps: [Int64], rows: Range<Int>)?, to times: inout [Int64]) {
    times.removeAll(keepingCapacity: true)
    if let input { times.append(contentsOf: input.timestamps[input.rows]) }
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
    let rows = rows[input]
    precondition(
      rows.upperBound <= source.values.count
        && (source.validity.isEmpty || rows.upperBound <= source.validity.count * 64),
      "column of \(source.values.count) rows is shorter than its batch")
    if conversion == .string { return try placeStrings(source, rows.lowerBound, of: input, onto: &column) }
    let base = input * wordCount
    // Bounds: an input's mask has as many bits as it has rows, which the source holds (checked above), all of them below the union's
    // count, for which `clear` made room.
    unsafe source.values.withUnsafeBufferPointer { from in
      unsafe column.values.withUnsafeMutableBufferPointer { to in
        guard let source0 = from.baseAddress, let target0 = to.baseAddress else { return }
        var row = rows.lowerBound
        for word in 0..<wordCount {
          let mask = masks[base &+ word]
          let count = mask.nonzeroBitCount
          let present = Validity.bits(source.validity, at: row, count: count)
          if present != 0 {
            let marks = unsafe Self.place(source0 + row, target0 + word &* 64, mask, present, conversion)
            column.validity[word] = column.validity[word] & ~marks.hidden | marks.shown
          }
          row &+= count
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

  /// Up to 64 numbers: the rows of the union that `mask` marks take those of the source in turn, where `present` has them. Returns which
  /// show a value now, and which show none.
  @inline(__always)
  private static func place(
    _ source: UnsafePointer<UInt64>, _ target: UnsafeMutablePointer<UInt64>, _ mask: UInt64, _ present: UInt64,
    _ conversion: ValueConversion
  ) -> (shown: UInt64, hidden: UInt64) {
    let count = mask.nonzeroBitCount
    var rest = mask
    if present == Validity.mask(count) {
      let isDense = mask == present
      switch conversion {
      case .identity where isDense:
        unsafe target.update(from: source, count: count)
        return (mask, 0)
      case .integerToFloat where isDense:
        for row in 0..<count { unsafe target[row] = Double(Int64(bitPattern: source[row])).bitPattern }
        return (mask, 0)
      case .identity:
        for row in 0..<count {
          unsafe target[rest.trailingZeroBitCount] = source[row]
          rest &= rest &- 1
        }
        return (mask, 0)
      default: break
      }
    }
    var (shown, hidden): (UInt64, UInt64) = (0, 0)
    for row in 0..<count {
      let bit = rest.trailingZeroBitCount
      rest &= rest &- 1
      guard present >> UInt64(row) & 1 != 0 else { continue }
      let word = unsafe conversion.convert(source[row])
      unsafe target[bit] = word ?? 0
      if word == nil { hidden |= 1 << UInt64(bit) } else { shown |= 1 << UInt64(bit) }
    }
    return (shown, hidden)
  }

  private func placeStrings(
    _ source: borrowing Column, _ first: Int, of input: Int, onto column: inout Column
  ) throws(StorageError) {
    var row = first
    for word in 0..<wordCount {
      var rest = masks[input * wordCount + word]
      while rest != 0 {
        let bit = rest.trailingZeroBitCount
        rest &= rest &- 1
        defer { row += 1 }
        guard source.isPresent(row) else { continue }
        let (offset, text) = (column.bytes.count, source.string(row))
        guard offset + text.count <= UInt32.max else {
          throw StorageError(.limit, "strings of one stretch of \(source.key.name.count)-byte field pass 4 GiB")
        }
        column.bytes.append(contentsOf: text)
        column.values[word * 64 + bit] = UInt64(offset) << 32 | UInt64(text.count)
        column.validity[word] |= 1 << UInt64(bit)
      }
    }
  }
}
