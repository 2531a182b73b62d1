import TestSupport

extension KillWriter {
  /// Reads every row of a round and holds it against what its writers sent, and what was acknowledged of each.
  static func check(
    _ writers: [KillWriter], _ round: Int, in server: ServerProcess,
    acknowledged: (KillWriter) -> Int = { $0.acknowledged }
  ) throws -> (rowCount: Int, wrong: [String]) {
    let times = KillWriter.times(of: round)
    let statement =
      "SELECT i,f,s,b FROM kill9 WHERE time >= \(times.lowerBound) AND time < \(times.upperBound) GROUP BY writer"
    let answer = try RawHTTP.ask(
      server.http, "GET", "/query?db=metrics&epoch=ns&format=csv&q=\(percentEncoded(statement))")
    guard answer.status == 200 else { return (0, ["\(answer.status) \(answer.text)"]) }
    var wrong: [String] = []
    var rowCount = 0
    var present = writers.map { [Bool](repeating: false, count: $0.sent) }
    var last = (writer: "", time: Int64.min)
    for row in answer.body.split(separator: UInt8(ascii: "\n")).dropFirst() {
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
      if last.writer == writer.name, last.time >= time { wrong.append("doubled: \(writer.name) \(time)") }
      last = (writer.name, time)
      let number = KillWriter.number(of: point)
      if number < writer.sent {
        present[writer.index][number] = true
      } else {
        wrong.append("never sent: \(writer.name) \(time)")
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
}
