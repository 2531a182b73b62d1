import Coding

/// Where the rows of up to 1,024 neighbouring series lie, decoded.
struct SeriesPlaces: Sendable {
  private(set) var ordinals = 0..<0
  private var starts: [UInt64] = []
  private var counts: [UInt64] = []
  private var firsts: [UInt64] = []
  private var lasts: [UInt64] = []

  /// Rows of the measurement and times of a series.
  ///
  /// - Parameter isKept: whether what is decoded stays in the block cache.
  mutating func place(
    of ordinal: Int, top: MeasurementTop, source: BlockSource, isKept: Bool, decoder: inout BlockDecoder
  ) throws(StorageError) -> (rows: Range<Int>, times: ClosedRange<Int64>) {
    if !ordinals.contains(ordinal) {
      self = try Self.load(ordinal, top: top, source: source, isKept: isKept, decoder: &decoder)
    }
    let index = ordinal - ordinals.lowerBound
    let (start, count) = (starts[index], counts[index])
    let (first, last) = (Int64(bitPattern: firsts[index]), Int64(bitPattern: lasts[index]))
    let total = UInt64(top.rowCount)
    guard count > 0, count <= total, start <= total - count, first <= last else {
      throw source.corrupt(
        top.rowStarts.handle(ordinal / TableFormat.stripeCount),
        "series \(ordinal) has \(count) rows from \(start) of \(total), times \(first) to \(last)")
    }
    return (Int(start)..<Int(start + count), first...last)
  }

  private static func load(
    _ ordinal: Int, top: MeasurementTop, source: BlockSource, isKept: Bool, decoder: inout BlockDecoder
  ) throws(StorageError) -> SeriesPlaces {
    let start = ordinal / TableFormat.miniBlockCount * TableFormat.miniBlockCount
    let block = top.rowStarts.handle(start / TableFormat.stripeCount).offset
    let kind = ParsedBlock.Kind.places(start % TableFormat.stripeCount)
    if case .places(let known) = source.parsed(block, kind) { return known }
    let range = start..<min(start + TableFormat.miniBlockCount, top.seriesCount)
    var places = SeriesPlaces()
    func column(_ run: BlockRun, _ kind: ColumnKind, _ words: inout [UInt64]) throws(StorageError) {
      try source.decode(run, kind: kind, count: top.seriesCount, rows: range, with: &decoder, into: &words)
    }
    try column(top.rowStarts, .unsigned, &places.starts)
    try column(top.rowCounts, .unsigned, &places.counts)
    try column(top.firstTimestamps, .timestamp, &places.firsts)
    try column(top.lastTimestamps, .timestamp, &places.lasts)
    places.ordinals = range
    if isKept { source.keep(.places(places), block, kind) }
    return places
  }
}
