import LineProtocol
import Storage

/// Lays streams beside each other by time.
enum StreamJoin {
  /// One row for each time that any stream has, and as many as the stream that has it most often; the streams' columns, then
  /// the auxiliaries of the first. What a stream lacks in a row is null, or the number that empty buckets are filled with.
  ///
  /// - Parameter isInterrupted: asked all along; it then fails.
  static func join(
    _ streams: [Stream], fill: Fill, isDescending: Bool, isInterrupted: @escaping () -> Bool
  ) throws(QueryFailure) -> (times: [Int64], columns: [Column]) {
    guard let first = streams.first(where: { !$0.isEmpty }) else { return ([], streams.map(\.column)) }
    let auxiliaries = streams.first?.auxiliaries ?? []
    let isFilled = if case .value = fill { true } else { false }
    if streams.allSatisfy({ $0.times == first.times || $0.isEmpty && !isFilled }) {
      return (first.times, streams.map(\.column) + auxiliaries)
    }
    var check = InterruptCheck(isInterrupted)
    let (times, places) = try rows(of: streams, isDescending: isDescending, &check)
    var columns: [Column] = []
    for (stream, places) in zip(streams, places) { columns.append(try column(of: stream, at: places, fill, &check)) }
    return (times, columns + auxiliaries)
  }

  /// The times of the rows, and for each stream its place in each row, `nil` where it has none.
  private static func rows(
    of streams: [Stream], isDescending: Bool, _ check: inout InterruptCheck
  ) throws(QueryFailure) -> (times: [Int64], places: [[Int?]]) {
    var times: [Int64] = []
    var places: [[Int?]] = streams.map { _ in [] }
    var next = streams.map { _ in 0 }
    while true {
      try check.pass(streams.count)
      let heads = streams.indices.compactMap {
        next[$0] < streams[$0].count ? streams[$0].times[next[$0]] : nil
      }
      guard let time = isDescending ? heads.max() : heads.min() else { return (times, places) }
      times.append(time)
      for index in streams.indices {
        let has = next[index] < streams[index].count && streams[index].times[next[index]] == time
        places[index].append(has ? next[index] : nil)
        if has { next[index] += 1 }
      }
    }
  }

  private static func column(
    of stream: Stream, at places: [Int?], _ fill: Fill, _ check: inout InterruptCheck
  ) throws(QueryFailure) -> Column {
    var out = Column(key: stream.column.key)
    out.bytes = stream.column.bytes
    let word: UInt64? =
      if case .value(let expression) = fill, out.key.type <= .unsigned {
        FillOperator.word(expression, out.key.type)
      } else { nil }
    for (row, place) in places.enumerated() {
      try check.pass()
      let value = place.map { stream.column.isPresent($0) ? stream.column.values[$0] : nil } ?? word
      if let value { out.append(word: value, rowCount: row) } else { out.appendNull(rowCount: row) }
    }
    return out
  }
}
