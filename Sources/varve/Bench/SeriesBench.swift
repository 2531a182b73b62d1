import Glibc
import Storage

/// `varve bench series`: what a live series costs in memory. Writes points of new series, one each, into a store in this process, and looks
/// at the process's resident memory.
///
/// Each window has series of its own, as where series churn: the memory of those before is to be given back.
struct SeriesBench {
  private static let batchLineCount = 10_000
  /// As keys of requests come out: a measurement and three tags.
  private static let keyByteCountMin = 60
  private static let keyByteCountMax = 4_096
  /// Timestamp, number of the batch, one value: what the point itself takes.
  private static let pointByteCount = 24

  private let seriesCount: Int
  private let windowCount: Int
  /// The value of a tag that all series share: what makes their keys as long as is asked for.
  private let region: String
  private let format: String?
  private let directory: String?

  init(_ arguments: Arguments) throws {
    seriesCount = max(arguments.integer("series") ?? 1, 1)
    windowCount = max(arguments.integer("windows") ?? 1, 1)
    let keyByteCount = arguments.integer("key-bytes") ?? Self.keyByteCountMin
    guard (Self.keyByteCountMin...Self.keyByteCountMax).contains(keyByteCount) else {
      throw UsageError("--key-bytes is \(Self.keyByteCountMin) to \(Self.keyByteCountMax), not \(keyByteCount)")
    }
    region = "eu-west-1" + String(repeating: "a", count: keyByteCount - Self.keyByteCountMin)
    format = arguments.string("format")
    directory = arguments.string("data")
  }

  func run() throws -> Int32 {
    guard let directory else { throw UsageError("bench series needs --data DIR: an empty directory for its store") }
    var options = StoreOptions()
    options.sync = .none
    // Counted as with limits, but never refused: two windows with a million long keys each are live at once.
    options.memoryByteCount = 8 << 30
    options.cardinality.seriesCountMax = .max
    options.cardinality.tagValueCountMax = .max
    let store = try Store.open(directory: directory, options: options)
    try store.createDatabase("bench", policy: "hours", ttl: 0, windowLength: 3_600_000_000_000)
    let target = StoreTarget(store)
    try target.use(database: "bench", policy: nil)
    // What the first lines make once and for all is not the series'.
    try write(target, window: 0, series: 0..<1)
    let before = try residentByteCount()
    var report = Report(
      "series",
      columns: [
        "window", "series_written", "seconds", "live_series", "memtable_bytes", "resident_bytes",
        "growth_per_live_series", "growth_besides_points",
      ])
    for window in 0..<windowCount {
      let start = monotonicSeconds()
      try write(target, window: window, series: window * seriesCount..<(window + 1) * seriesCount)
      let seconds = monotonicSeconds() - start
      let statistics = store.statistics().databases.first { $0.name == "bench" }
      let live = statistics?.liveSeries ?? 0
      let resident = try residentByteCount()
      let growth = (resident - before) / max(live, 1)
      report.append([
        .integer(window + 1), .integer((window + 1) * seriesCount), .number((seconds * 1_000).rounded() / 1_000),
        .integer(live), .integer(statistics?.memtableBytes ?? 0), .integer(resident), .integer(growth),
        .integer(growth - Self.pointByteCount),
      ])
    }
    try report.print(format)
    try store.flush()
    let found = try store.seriesReport(top: 1, database: "bench").databases.first?.series ?? 0
    try store.close()
    let wanted = windowCount * seriesCount
    // The report counts exactly up to a bound and is a few in a thousand off beyond it.
    let isRight = abs(found - wanted) <= (wanted <= SeriesReport.exactSeriesCountMax ? 0 : wanted / 50)
    if !isRight { printError("varve bench: the store has \(found) series, written were \(wanted)") }
    return isRight ? 0 : 1
  }

  private func write(_ target: StoreTarget, window: Int, series: Range<Int>) throws {
    // 2026-01-01.
    let time = 1_767_225_600_000_000_000 + Int64(window) * 3_600_000_000_000
    for start in stride(from: series.lowerBound, to: series.upperBound, by: Self.batchLineCount) {
      var lines = ""
      for number in start..<min(start + Self.batchLineCount, series.upperBound) {
        lines += "http,host=host-\(number % 1_000),region=\(region),request_id=r\(1_000_000_000 + number) value=\(number)i \(time)\n"
      }
      let outcome = try unsafe Array(lines.utf8).withUnsafeBytes { try unsafe target.write($0, firstLine: 1) }
      for refused in outcome.refused.prefix(1) { throw CommandFailure("line \(refused.line): \(refused.reason)") }
    }
  }

  /// Bytes of this process that lie in memory.
  private func residentByteCount() throws -> Int {
    let fields = String(decoding: try readWholeFile("/proc/self/statm"), as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { throw CommandFailure("/proc/self/statm has no sizes") }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
