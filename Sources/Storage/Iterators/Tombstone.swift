/// Which measurements a tombstone is for: one by name, or those that match.
package enum MeasurementMatch: Codable, Sendable, Equatable {
  case name(String)
  case matches(Regex)

  func matches(_ measurement: [UInt8]) -> Bool {
    switch self {
    case .name(let name): name.utf8.elementsEqual(measurement)
    case .matches(let regex): regex.matches(measurement)
    }
  }
}

/// What is deleted: rows of some measurements, series and times (DESIGN, rule 6).
package struct Deletion: Codable, Sendable, Equatable {
  /// Empty: all.
  package var measurements: [MeasurementMatch]
  /// Of the series; `nil`: all.
  package var predicate: TagPredicate?
  /// Half-open, nanoseconds.
  package var start: Int64
  package var end: Int64

  package init(measurements: [MeasurementMatch], predicate: TagPredicate?, times: Range<Int64>) {
    self.measurements = measurements
    self.predicate = predicate
    start = times.lowerBound
    end = times.upperBound
  }

  package var times: Range<Int64> { start..<max(start, end) }

  /// Whether it leaves nothing of whatever lies in these times.
  package func takesAll(of times: ClosedRange<Int64>) -> Bool {
    measurements.isEmpty && predicate == nil && start <= times.lowerBound && times.upperBound < end
  }

  /// Whether a measurement is among those it is for.
  package func concerns(_ measurement: [UInt8]) -> Bool {
    measurements.isEmpty || measurements.contains { $0.matches(measurement) }
  }
}

/// What a deletion would take away.
package struct DeletionPreview: Sendable, Equatable {
  package var seriesCount = 0
  package var pointCount = 0
  /// Of the tables: an estimate, by the share of their rows.
  package var byteCount: UInt64 = 0

  package init() {}
}

/// A deletion with its place in the order of writes: it hides what was written before it.
///
/// Its number is taken when every part that it touches is sealed, so that a run lies wholly below it or wholly above it: no run
/// is half hidden.
package struct Tombstone: Codable, Sendable, Equatable {
  /// Taken from the log's numbers; rows of batches below it are hidden.
  package var sequence: UInt64
  package var deletion: Deletion
  /// Nanoseconds of the store clock.
  package var createdAt: Int64

  package init(sequence: UInt64, deletion: Deletion, createdAt: Int64) {
    self.sequence = sequence
    self.deletion = deletion
    self.createdAt = createdAt
  }
}
