import LineProtocol

/// Batches that a damaged log does not hold any more, and what is known of them.
///
/// What they held lies in windows that were not flushed through them: a window is in the manifest before a row of it is in the
/// log, and all its rows up to the number through which it is flushed are in tables.
struct LogGap: Equatable {
  /// Names of series that the rows may be of: few enough are named one by one, else their measurements.
  struct Name: Hashable {
    var measurement: String
    var series: String?
  }
  private static let seriesCountMax = 16
  private static let nameCountMax = 64

  var file: String
  /// `nil`: all of the file.
  var offset: UInt64?
  var reason: String
  /// Numbers of batches whose rows may be gone. 0: from the first on.
  var first: UInt64
  /// `nil`: nothing that is left says how far the log went.
  var last: UInt64?
  /// `nil`: any.
  var keyspace: KeyspaceID?
  var times: ClosedRange<Int64>?
  var names: [Name]?

  /// Whether no batch lies in it.
  var isEmpty: Bool { last.map { $0 < first } ?? false }

  /// Names for what is in these series, none where that would be too much to read.
  static func names(of keys: [SeriesKey]) -> [Name]? {
    let series = Set(keys.map { Name(measurement: $0.measurementText, series: $0.reportText) })
    if series.count <= seriesCountMax { return sorted(series) }
    let measurements = Set(series.map { Name(measurement: $0.measurement, series: nil) })
    return measurements.count <= nameCountMax ? sorted(measurements) : nil
  }

  private static func sorted(_ names: Set<Name>) -> [Name] {
    names.sorted { ($0.measurement, $0.series ?? "") < ($1.measurement, $1.series ?? "") }
  }

  /// What may be lost with it, none where tables have all.
  ///
  /// - Parameter state: what the manifest says; `nil` where it could not be read, and nothing narrows what was in the log.
  func losses(in state: ManifestState?) -> [RepairReport.Loss] {
    guard let state else { return losses(nil, times.map { [Stretch(times: $0, flushedThrough: 0)] } ?? []) }
    return state.keyspaces.filter { keyspace == nil || $0.id == keyspace }.flatMap {
      losses($0, unflushed($0))
    }
  }

  /// In words: which batches, where and why.
  var text: String {
    let numbers =
      switch (first, last) {
      case (0, nil): "all batches"
      case (_, nil): "batches from \(first) on"
      case (0, let last?): "batches up to \(last)"
      case (let first, let last?): first == last ? "batch \(first)" : "batches \(first) to \(last)"
      }
    return "\(numbers)\(offset.map { " at offset \($0)" } ?? ""): \(reason)"
  }

  /// Times of windows that touch, and the number through which tables have all of them.
  private struct Stretch {
    var times: ClosedRange<Int64>
    var flushedThrough: UInt64
  }

  /// Where rows of the gap may have lain that no table has.
  private func unflushed(_ keyspace: KeyspaceState) -> [Stretch] {
    var found: [Stretch] = []
    for window in keyspace.windows where window.flushedThrough < last ?? .max {
      let wanted = times ?? .min ... .max
      let (from, through) = (max(window.start, wanted.lowerBound), min(window.end - 1, wanted.upperBound))
      if from > through { continue }
      if let before = found.last, before.times.upperBound + 1 == from {
        found[found.count - 1] = Stretch(
          times: before.times.lowerBound...through,
          flushedThrough: min(before.flushedThrough, window.flushedThrough))
      } else {
        found.append(Stretch(times: from...through, flushedThrough: window.flushedThrough))
      }
    }
    return found
  }

  private func losses(_ keyspace: KeyspaceState?, _ stretches: [Stretch]) -> [RepairReport.Loss] {
    if stretches.isEmpty { return keyspace == nil ? [loss(nil, nil, nil)] : [] }
    return stretches.flatMap { stretch in
      names?.map { loss(keyspace, stretch, $0) } ?? [loss(keyspace, stretch, nil)]
    }
  }

  private func loss(_ keyspace: KeyspaceState?, _ stretch: Stretch?, _ name: Name?) -> RepairReport.Loss {
    let rest =
      keyspace == nil
      ? "which windows were flushed through them is not known: their points are lost as far as no table has them"
      : "tables have all points of these times through batch \(stretch?.flushedThrough ?? 0); what came later may be lost"
    return RepairReport.Loss(
      file: file, database: keyspace?.database ?? "", policy: keyspace?.policy ?? "",
      measurement: name?.measurement,
      series: name?.series, from: stretch?.times.lowerBound, through: stretch?.times.upperBound,
      what: "\(text); \(rest)", firstBatch: first == 0 ? nil : first, lastBatch: last)
  }
}
