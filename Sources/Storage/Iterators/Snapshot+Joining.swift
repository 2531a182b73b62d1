extension Snapshot {
  /// Several keyspaces read as one. Time is cut where any window of any of them begins or ends; each piece holds the runs of the
  /// windows that cover it, by their numbers. What one keyspace has expired stays hidden where another keeps it longer.
  static func joining(_ snapshots: [Snapshot]) -> Snapshot {
    let floor = snapshots.map(\.floor).min() ?? .min
    let windows = snapshots.flatMap { snapshot in
      snapshot.windows.map { $0.hiding(before: snapshot.floor, above: floor) }
    }
    let bounds = Set(windows.flatMap { [$0.range.lowerBound, $0.range.upperBound] }).sorted()
    var pieces: [WindowSnapshot] = []
    for (start, end) in zip(bounds, bounds.dropFirst()) {
      let covering = windows.filter { $0.range.lowerBound <= start && $0.range.upperBound >= end }
      if covering.isEmpty { continue }
      let runs =
        covering.count == 1
        ? covering[0].runs
        : covering.flatMap(\.runs).sorted { $0.sequenceRange.lowerBound < $1.sequenceRange.lowerBound }
      pieces.append(WindowSnapshot(range: start..<end, runs: runs, leftOut: covering[0].leftOut))
    }
    return Snapshot(windows: pieces, floor: floor, pin: Pins(snapshots), reads: snapshots.first?.reads)
  }

  /// Several snapshots as one in which points of one series and time stay as many as there are.
  package static func joiningApart(_ snapshots: [Snapshot]) -> Snapshot {
    joining(
      snapshots.enumerated().map { number, snapshot in
        Snapshot(
          windows: snapshot.windows.map { window in
            WindowSnapshot(
              range: window.range, runs: window.runs.map { TaggedRun($0, number: number) }, leftOut: window.leftOut)
          }, floor: snapshot.floor, pin: Pins([snapshot]), reads: snapshot.reads)
      })
  }

  /// Keeps what the joined snapshots keep.
  private final class Pins: Sendable {
    private let snapshots: [Snapshot]

    init(_ snapshots: [Snapshot]) { self.snapshots = snapshots }
  }
}

extension WindowSnapshot {
  fileprivate func hiding(before floor: Int64, above lowest: Int64) -> WindowSnapshot {
    guard floor > lowest, range.lowerBound < floor else { return self }
    let deletion = Deletion(measurements: [], predicate: nil, times: .min..<floor)
    let mask = [Tombstone(sequence: .max, deletion: deletion, createdAt: 0)]
    return WindowSnapshot(
      range: range, runs: runs.map { MaskedRun.masking($0, by: mask) }, leftOut: leftOut)
  }
}
