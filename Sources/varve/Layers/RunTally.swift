import LineProtocol
import Storage

/// Points and the sum of all integers that sorted runs hold, read as a merge reads them.
struct RunTally: Equatable {
  private(set) var pointCount = 0
  private(set) var sum = Int64(0)

  init(pointCount: Int, sum: Int64) { (self.pointCount, self.sum) = (pointCount, sum) }

  /// Reads everything; only decoding and joining are on the watch.
  init(_ window: WindowSnapshot, _ watch: inout Stopwatch) throws {
    let times = Int64.min..<Int64.max
    for measurement in try window.measurements() {
      let columns = try window.fields(of: measurement).map { ScanColumn(name: $0.name, type: $0.type) }
      var pieces = try WindowSeriesPieces(window, of: measurement, where: nil, times: times)
      while let series = try watch.time({ try pieces.next() }) {
        let scanner = SeriesScanner(
          window: window, series: series, measurement: measurement, columns: columns, times: times)
        var batch = scanner.makeBatch()
        for index in 0..<series.count {
          try watch.time { try scanner.begin(index) }
          while try watch.time({
            guard try scanner.next() != nil else { return false }
            try scanner.read(into: &batch)
            return true
          }) { add(batch) }
        }
      }
    }
  }

  /// Reads everything that a snapshot holds.
  init(_ snapshot: Snapshot) throws {
    var unwatched = Stopwatch()
    for window in snapshot.windows {
      let one = try RunTally(window, &unwatched)
      pointCount += one.pointCount
      sum &+= one.sum
    }
  }

  private mutating func add(_ batch: ColumnBatch) {
    pointCount += batch.count
    for column in batch.columns {
      // What is not there is 0.
      for word in column.values { sum &+= Int64(bitPattern: word) }
    }
  }
}

extension ParsedLoad {
  /// What runs that hold all of it come to.
  var tally: RunTally { RunTally(pointCount: lineCount, sum: sum) }
}
