import Coding

/// `varve bench layers`: what a line or a value costs in each layer of the store alone, in this process, without a disk.
///
/// Each round holds what a layer made to what it was given: to the values themselves, or to their sum as found in the text.
package struct LayerBench {
  /// In the order of a point's way; what each is, for the help.
  package static let names = [
    "parse", "encode timestamps", "encode integers", "encode decimals", "encode floats", "encode counts",
    "encode booleans", "encode strings", "decode timestamps", "decode integers", "decode decimals", "decode floats",
    "decode counts", "decode booleans", "decode strings", "insert", "commit", "flush", "merge", "scan", "aggregate", "recover",
  ]
  private let lineCount: Int
  private let roundCount: Int
  private let layer: String?
  private let format: String?
  private let counter: CallCounter?

  init(_ arguments: Arguments) throws {
    lineCount = max(arguments.integer("lines") ?? 1, 1)
    roundCount = max(arguments.integer("rounds") ?? 1, 1)
    layer = arguments.string("layer")
    format = arguments.string("format")
    counter = try arguments.string("counts").map(CallCounter.init)
  }

  func run() throws -> Int32 {
    var report = Report(
      "layers",
      columns: [
        "layer", "unit", "count", "rounds", "best_ns", "median_ns", "best_per_second", "median_per_second",
        "median_megabytes_per_second", "bytes_each", "allocations_per_1000_lines", "system_calls_per_1000_lines", "check",
      ])
    let load = try ParsedLoad("S", lineCount: lineCount)
    var areRight = true
    for name in Self.names where layer == nil || layer == name {
      // One lives at a time: some hold a store.
      let isRight = try measure(try make(name, load), lineCount: load.lineCount, into: &report)
      areRight = areRight && isRight
    }
    try report.print(format)
    return areRight ? 0 : 1
  }

  private func make(_ name: String, _ load: ParsedLoad) throws -> any Layer {
    switch name {
    case "parse": return ParseLayer(load)
    case "insert": return InsertLayer(load)
    case "commit": return CommitLayer(load)
    case "flush": return try MergeLayer.flush(load)
    case "merge": return try MergeLayer.merge(load, of: MemoryTables())
    case "scan": return try ScanLayer(load, of: MemoryTables())
    case "aggregate": return try AggregateLayer(load)
    case "recover": return try RecoverLayer(load)
    case "encode strings": return StringLayer(StringColumn(rowCount: load.lineCount), isDecoding: false)
    case "decode strings": return StringLayer(StringColumn(rowCount: load.lineCount), isDecoding: true)
    default:
      let words = try columns(String(name.split(separator: " ")[1]), load)
      return name.hasPrefix("encode") ? EncodeLayer(words) : DecodeLayer(words)
    }
  }

  /// Columns of S; of its hosts other values where S has none of a kind.
  private func columns(_ name: String, _ load: ParsedLoad) throws -> WordColumns {
    switch name {
    case "timestamps": return WordColumns(name, .timestamp, load.timestamps())
    case "integers": return WordColumns(name, .integer, load.columns())
    case "decimals": return WordColumns(name, .float, try ParsedLoad("F2", lineCount: lineCount).columns())
    case "floats": return WordColumns(name, .float, try ParsedLoad("F", lineCount: lineCount).columns())
    case "counts":
      return WordColumns(name, .integer, load.columns().enumerated().map { Self.counts($1.count, seed: $0) })
    default:
      // Whether a field of S is above its middle: runs of one value, as switches have.
      return WordColumns(name, .boolean, load.columns().map { $0.map { $0 > 50 ? 1 : 0 } })
    }
  }

  /// Counts as of what many ask for: as often of each length, and unlike the one before.
  private static func counts(_ count: Int, seed: Int) -> [UInt64] {
    var random = WorkloadRandom(seed: UInt64(seed))
    return (0..<count).map { _ in
      let shift = random.next() % 17
      return (random.next() & 0xf_ffff) >> shift
    }
  }

  /// - Parameter lineCount: lines whose values a round takes.
  private func measure(_ layer: any Layer, lineCount: Int, into report: inout Report) throws -> Bool {
    var (seconds, isRight) = ([Double](), true)
    var calls: CallCounts?
    for _ in 0..<roundCount {
      if Interrupt.wasPressed { throw Interrupted() }
      var watch = Stopwatch(counter)
      isRight = try layer.run(&watch) && isRight
      seconds.append(watch.seconds)
      // Those of the last round: what is made once and for all is made in the first.
      if counter != nil { calls = watch.calls }
    }
    seconds.sort()
    let (best, median, count) = (seconds[0], seconds[seconds.count / 2], Double(max(layer.count, 1)))
    func nanoseconds(_ seconds: Double) -> Report.Value { .number((seconds / count * 1e12).rounded() / 1e3) }
    var row: [Report.Value] = [
      .text(layer.name), .text(layer.unit), .integer(layer.count), .integer(roundCount), nanoseconds(best),
      nanoseconds(median), .integer(Int(count / best)), .integer(Int(count / median)),
      layer.byteCount > 0 ? .integer(Int(Double(layer.byteCount) / median / 1e6)) : .none,
      layer.byteCount > 0 ? .number((Double(layer.byteCount) / count * 1e3).rounded() / 1e3) : .none,
    ]
    row += CallCounts.cells(calls, of: lineCount) + [.text(isRight ? "right" : "wrong")]
    report.append(row)
    return isRight
  }
}
