import TestSupport

extension KillWriter {
  /// Reads every row of a round and holds it against what its writers sent, and what was acknowledged of each.
  static func check(
    _ writers: [KillWriter], _ round: Int, in server: ServerProcess,
    acknowledged: (KillWriter) -> Int = { $0.acknowledged }
  ) throws -> (rowCount: Int, wrong: [String]) {
    let times = KillWriter.times(of: round)
    var wrong: [String] = []
    var rowCount = 0
    var present = writers.map { [Bool](repeating: false, count: $0.sent) }
    var last: [String: Int64] = [:]
    // A stretch at a time: one answer of all would be more than a small server may hold.
    let pointCount = (writers.map(\.sent).max() ?? 0) + 8
    let stretches = stride(from: 0, to: pointCount, by: pointsAskedAtOnce).map { first in
      times.lowerBound + Int64(first) * KillWriter.step
    }
    for (start, end) in zip(stretches, stretches.dropFirst() + [times.upperBound]) {
      for row in try rows(from: start, to: end, in: server) {
        let fields = row.split(separator: UInt8(ascii: ","), maxSplits: 2)
        guard fields.count == 3, let time = Int64(String(decoding: fields[0], as: UTF8.self)),
          let writer = writers.first(where: { $0.name.utf8.elementsEqual(fields[1]) }), times.contains(time)
        else {
          wrong.append("garbled: \(String(decoding: row, as: UTF8.self))")
          continue
        }
        rowCount += 1
        let point = Int((time - times.lowerBound) / KillWriter.step)
        if !writer.row(point).utf8.elementsEqual(row) {
          wrong.append("garbled: \(String(decoding: row, as: UTF8.self))")
        }
        if let before = last[writer.name], before >= time { wrong.append("doubled: \(writer.name) \(time)") }
        last[writer.name] = time
        let number = KillWriter.number(of: point)
        if number < writer.sent {
          present[writer.index][number] = true
        } else {
          wrong.append("never sent: \(writer.name) \(time)")
        }
      }
    }
    for writer in writers {
      let count = acknowledged(writer)
      for number in 0..<count where !present[writer.index][number] {
        wrong.append("lost: \(writer.name) point \(number) of \(count)")
      }
    }
    return (rowCount, wrong)
  }

  private static let pointsAskedAtOnce = 1_000

  /// The rows of a stretch of time as CSV, without the header.
  private static func rows(
    from start: Int64, to end: Int64, in server: ServerProcess
  ) throws -> ArraySlice<ArraySlice<UInt8>> {
    let statement = "SELECT i,f,s,b FROM kill9 WHERE time >= \(start) AND time < \(end) GROUP BY writer"
    let answer = try RawHTTP.ask(
      server.http, "GET", "/query?db=metrics&epoch=ns&format=csv&q=\(percentEncoded(statement))")
    // The format has no place for an error: a header carries it.
    guard answer.status == 200, answer.headers["x-influxdb-error"] == nil else {
      throw AskingFailure(description: "\(answer.status) \(answer.headers["x-influxdb-error"] ?? answer.text)")
    }
    return answer.body.split(separator: UInt8(ascii: "\n")).dropFirst()
  }
}
