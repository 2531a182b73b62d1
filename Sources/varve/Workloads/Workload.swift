/// A data set that the generator makes, the same bytes every time.
package struct Workload: Sendable, Equatable {
  /// Which measurements, and how values move.
  package enum Kind: String, Sendable, CaseIterable {
    /// One measurement of ten integers: walks in 0...100.
    case cpu
    /// Nine measurements of TSBS's `devops`.
    case devops
    /// One measurement of five floats of full precision.
    case fullGauge = "gfull"
    /// One measurement of five floats of two decimals.
    case decimalGauge = "gdec2"
    /// One measurement of one float of two decimals, two tags: short lines.
    case small
    /// cpu, mem, disk and net of a few hosts, floats, integers, booleans and strings.
    case sample
  }
  package var name: String
  package var kind: Kind
  package var hostCount: Int
  package var secondCount: Int
  package var intervalSeconds: Int
  package var seed: UInt64
  /// Seconds since 1970.
  package var start: Int64 = 1_451_606_400
  /// One line in so many comes late; 0: none does.
  package var lateEvery: UInt64 = 0
  /// How late it may come.
  package var latenessSecondsMax = 0
  package var summary: String

  /// The named data sets.
  package static let all: [Workload] = [
    Workload(
      name: "S", kind: .cpu, hostCount: 100, secondCount: 86_400, intervalSeconds: 10, seed: 1,
      summary: "100 hosts for a day at 10 s, 10 integer fields"),
    Workload(
      name: "M", kind: .cpu, hostCount: 4_000, secondCount: 10_800, intervalSeconds: 10, seed: 2,
      summary: "4,000 hosts for 3 hours at 10 s, 10 integer fields"),
    Workload(
      name: "H", kind: .cpu, hostCount: 100_000, secondCount: 600, intervalSeconds: 60, seed: 3,
      summary: "100,000 hosts for 10 minutes at 60 s, 10 integer fields"),
    Workload(
      name: "F", kind: .fullGauge, hostCount: 100, secondCount: 86_400, intervalSeconds: 10, seed: 4,
      summary: "100 hosts for a day at 10 s, 5 floats of full precision"),
    Workload(
      name: "F2", kind: .decimalGauge, hostCount: 100, secondCount: 86_400, intervalSeconds: 10, seed: 5,
      summary: "100 hosts for a day at 10 s, 5 floats of two decimals"),
    Workload(
      name: "D", kind: .devops, hostCount: 100, secondCount: 3_600, intervalSeconds: 10, seed: 6,
      summary: "100 hosts for an hour at 10 s, 9 measurements"),
    Workload(
      name: "T", kind: .small, hostCount: 1_000, secondCount: 3_600, intervalSeconds: 1, seed: 8,
      summary: "1,000 hosts for an hour at 1 s, one float, two tags: 70 bytes a line"),
    Workload(
      name: "L", kind: .cpu, hostCount: 50, secondCount: 172_800, intervalSeconds: 10, seed: 9, lateEvery: 20,
      latenessSecondsMax: 86_400,
      summary: "50 hosts for two days at 10 s, 10 integer fields, one line in 20 late by up to a day"),
    Workload(
      name: "sample", kind: .sample, hostCount: 4, secondCount: 21_600, intervalSeconds: 30, seed: 7,
      start: 1_767_225_600, summary: "4 hosts for 6 hours at 30 s: cpu, mem, disk, net"),
  ]

  /// The data set of a name.
  package static func named(_ name: String) -> Workload? { all.first { $0.name == name } }

  /// Times at which every host is written.
  package var tickCount: Int { secondCount / intervalSeconds }

  /// Lines of each measurement, with a field that each of them has.
  package var linesByMeasurement: [(measurement: String, field: String, count: Int)] {
    WorkloadSchema.measurements(of: kind).map { ($0.name, $0.fields[0].name, hostCount * tickCount) }
  }

  /// All lines.
  package var lineCount: Int { linesByMeasurement.reduce(0) { $0 + $1.count } }

  /// The whole's values: fields of all lines.
  package var valueCount: Int {
    WorkloadSchema.measurements(of: kind).reduce(0) { $0 + $1.fields.count * hostCount * tickCount }
  }
}
