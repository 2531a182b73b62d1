import LineProtocol

/// The rows of a batch that a condition takes, and what is decoded for them.
struct ChosenRows {
  /// Places in the batch, ascending.
  let places: [Int]
  /// The rows of the row group that are decoded, by whole groups of 1,024, and which of `places` lie in each stretch of them.
  let stretches: [(rows: Range<Int>, places: Range<Int>)]

  /// - Parameters:
  ///   - bits: a bit a row.
  ///   - rows: those of the row group that the batch has.
  init(_ bits: [UInt64], of rows: Range<Int>) {
    let places = Validity.rows(bits)
    let unit = TableFormat.miniBlockCount
    var stretches: [(rows: Range<Int>, places: Range<Int>)] = []
    var at = 0
    while at < places.count {
      let first = (rows.lowerBound + places[at]) / unit
      let end = min((first + 1) * unit, rows.upperBound)
      var next = at
      while next < places.count, rows.lowerBound + places[next] < end { next += 1 }
      if let last = stretches.last, last.rows.upperBound == first * unit {
        stretches[stretches.count - 1] = (last.rows.lowerBound..<end, last.places.lowerBound..<next)
      } else {
        stretches.append((max(first * unit, rows.lowerBound)..<end, at..<next))
      }
      at = next
    }
    (self.places, self.stretches) = (places, stretches)
  }
}

extension TableReader {
  package func read(
    into batch: inout ColumnBatch, deciding: [Bool], _ choose: (borrowing ColumnBatch) -> [UInt64]
  ) throws(StorageError) -> Bool {
    try guarded { () throws(StorageError) in
      guard let span, !span.isShared else {
        try read(into: &batch)
        return false
      }
      guard let rows = try begin(&batch) else { return true }
      for index in fields.indices where deciding[index] && fieldNumbers[index] >= 0 {
        try appendColumn(index, rows, of: span, to: &batch.columns[index])
      }
      let chosen = ChosenRows(choose(batch), of: rows)
      let isAll = chosen.places.count == rows.count
      if !isAll {
        for (place, row) in chosen.places.enumerated() { batch.timestamps[place] = batch.timestamps[row] }
        batch.timestamps.removeLast(rows.count - chosen.places.count)
      }
      for index in fields.indices where fieldNumbers[index] >= 0 {
        if deciding[index] {
          if !isAll { batch.columns[index].keep(chosen.places) }
        } else if isAll {
          try appendColumn(index, rows, of: span, to: &batch.columns[index])
        } else if !chosen.places.isEmpty {
          try appendColumn(index, rows, chosen, of: span, to: &batch.columns[index])
        }
      }
      return true
    }
  }

  /// Decodes a column where rows of it are chosen, and appends these.
  private func appendColumn(
    _ index: Int, _ rows: Range<Int>, _ chosen: ChosenRows, of span: Span, to column: inout Column
  ) throws(StorageError) {
    let entry = try entries(of: fieldNumbers[index], withStatistics: false)[span.group]
    guard entry.isPresent else { return }
    let group = span.entry
    guard column.key.type != .string, entry.statistics.count == group.rowCount else {
      try decodeColumn(entry, group, rows, to: &column)
      return column.keep(chosen.places)
    }
    for stretch in chosen.stretches {
      whole.reset()
      whole.key = column.key
      try decodeColumn(entry, group, stretch.rows, to: &whole)
      let shift = stretch.rows.lowerBound - rows.lowerBound
      Self.append(chosen.places[stretch.places], of: whole.values, shift: shift, to: &column.values)
    }
    column.presentCount = chosen.places.count
  }

  /// Appends the words at some places, less `shift`.
  private static func append(_ places: ArraySlice<Int>, of words: [UInt64], shift: Int, to out: inout [UInt64]) {
    let words = words.span
    out.append(addingCapacity: places.count) { span in
      for place in places { span.append(words[place - shift]) }
    }
  }
}

extension Column {
  /// Leaves only the rows at some places, which ascend. Bytes of strings stay.
  mutating func keep(_ rows: [Int]) {
    guard presentCount > 0 else { return reset() }
    for (place, row) in rows.enumerated() { values[place] = values[row] }
    values.removeLast(values.count - rows.count)
    guard !validity.isEmpty else {
      presentCount = rows.count
      return
    }
    var bits = BitVector()
    for row in rows { bits.append(isPresent(row), count: 1) }
    presentCount = BitVector.onesCount(bits.words, in: 0..<rows.count)
    validity = presentCount == rows.count ? [] : bits.words
  }
}
