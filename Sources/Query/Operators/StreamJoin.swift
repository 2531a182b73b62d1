import LineProtocol
import Storage

/// Lays streams beside each other by time.
enum StreamJoin {
  /// One row for each time that any stream has; the streams' columns, then the auxiliaries of the first.
  static func join(_ streams: [Stream], isDescending: Bool) -> (times: [Int64], columns: [Column]) {
    guard let first = streams.first(where: { !$0.isEmpty }) else { return ([], streams.map(\.column)) }
    if streams.allSatisfy({ $0.times == first.times || $0.isEmpty }) {
      return (first.times, streams.map(\.column) + (streams.first?.auxiliaries ?? []))
    }
    var times = Array(Set(streams.flatMap(\.times)))
    if isDescending { times.sort(by: >) } else { times.sort() }
    let columns = streams.map { stream in
      var out = Column(key: stream.column.key)
      out.bytes = stream.column.bytes
      var place = 0
      for (row, time) in times.enumerated() {
        if place < stream.count, stream.times[place] == time {
          if stream.column.isPresent(place) {
            out.append(word: stream.column.values[place], rowCount: row)
          } else {
            out.appendNull(rowCount: row)
          }
          place += 1
        } else {
          out.appendNull(rowCount: row)
        }
      }
      return out
    }
    return (times, columns + (streams.first?.auxiliaries ?? []))
  }
}
