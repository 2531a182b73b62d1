import LineProtocol

/// Lines to batches.
final class ParseLayer: Layer {
  let name = "parse"
  let unit = "lines"
  private let load: ParsedLoad
  private let batch = LineBatch()
  private let parser = LineParser(vocabulary: Vocabulary())

  init(_ load: ParsedLoad) { self.load = load }

  var count: Int { load.lineCount }
  var byteCount: Int { load.source.byteCount }

  func run(_ watch: inout Stopwatch) -> Bool {
    var (rows, sum) = (0, Int64(0))
    for piece in load.pieces {
      watch.time {
        batch.reset()
        unsafe parser.parse(load.source.lines(piece), now: 0, firstLine: 1, into: batch)
      }
      rows += batch.count
      for index in 0..<batch.values.count { sum &+= Int64(bitPattern: batch.values[index]) }
    }
    return rows == load.lineCount && sum == load.sum
  }
}
