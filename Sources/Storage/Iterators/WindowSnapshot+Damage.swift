/// What a window leaves out because it is damaged; `LeftOut` has the rule.
extension WindowSnapshot {
  /// Whether all that it holds in some times is left out: a run that meets them cannot be read at all.
  func leavesOutAll(_ times: Range<Int64>) -> Bool {
    guard let leftOut, let error = firstDamage(meeting: times, { $0.damage }) else { return false }
    leftOut.note(LeftOut.Piece(error: error, window: range, measurement: nil))
    return true
  }

  /// Whether it is known that a measurement cannot be read, or not all of it.
  func isDamaged(_ measurement: [UInt8]) -> Bool {
    leftOut != nil && runs.contains { $0.damage(of: measurement).whole != nil }
  }

  /// Whether a measurement is left out in some times.
  func leavesOut(_ measurement: [UInt8], _ times: Range<Int64>) -> Bool {
    guard let leftOut else { return false }
    if leavesOutAll(times) { return true }
    guard let error = firstDamage(meeting: times, { $0.damage(of: measurement).whole }) else { return false }
    leftOut.note(LeftOut.Piece(error: error, window: range, measurement: measurement))
    return true
  }

  /// The series of which no run is known to have lost rows.
  func withoutDamaged(_ series: WindowSeries, of measurement: [UInt8]) -> WindowSeries {
    guard let leftOut else { return series }
    if runs.allSatisfy({ $0.damage(of: measurement).isNone }) { return series }
    let damages = runs.map { $0.damage(of: measurement) }
    var pieces: [LeftOut.Piece] = []
    let kept = series.filtered { index in
      let errors = series.sources(index).lazy.compactMap { damages[$0.run].error(of: $0.ordinal) }
      guard let error = errors.first else { return true }
      if let place = pieces.firstIndex(where: { $0.error == error }) {
        pieces[place].seriesCount += 1
      } else {
        let key = Array(series.keyBytes[series.keyRange(index)])
        pieces.append(
          LeftOut.Piece(
            error: error, window: range, measurement: measurement, firstSeries: key, seriesCount: 1))
      }
      return false
    }
    for piece in pieces { leftOut.note(piece) }
    return kept
  }

  /// What the first run that meets some times, and has any, says of its damage. Asked of each statement and window, and mostly `nil`.
  private func firstDamage(meeting times: Range<Int64>, _ damage: (any SortedRun) -> StorageError?) -> StorageError? {
    for run in runs {
      let held = run.timeRange
      guard held.lowerBound < times.upperBound, held.upperBound >= times.lowerBound else { continue }
      if let error = damage(run) { return error }
    }
    return nil
  }
}
