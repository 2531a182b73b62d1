import Foundation
import TestSupport

/// Holds everything that a store shows against the models of its writers.
struct SoakCheck {
  /// - Parameter times: all where it is `nil`.
  static func statement(_ times: Range<Int64>?) -> String {
    let bounds = times.map { " WHERE time >= \($0.lowerBound) AND time < \($0.upperBound)" } ?? ""
    return "SELECT v,w FROM soak\(bounds) GROUP BY writer,n"
  }
  /// Points so close to their end may or may not be there while it is looked.
  private static let margin: Int64 = 60_000_000_000

  let models: [SoakModel]
  let pending: [SoakModel.Operation?]
  /// Nanoseconds.
  let ttl: Int64
  private(set) var rows: [SoakRow] = []
  private(set) var problems: [String] = []
  private var seen: [[[Bool]]]
  /// Rows are kept for writers whose operation is in doubt.
  private let keeps: [Bool]
  private(set) var rowCount = 0

  init(_ writers: [SoakWriter], ttl: Int64) { self.init(writers.map(\.model), writers.map(\.pending), ttl: ttl) }

  init(_ models: [SoakModel], _ pending: [SoakModel.Operation?], ttl: Int64) {
    self.models = models
    self.pending = pending
    self.ttl = ttl
    keeps = pending.map { $0 != nil }
    seen = models.map { model in model.fields.map { [Bool](repeating: false, count: $0.count) } }
  }

  /// - Parameters:
  ///   - csv: the answer to `statement`, whole or of one stretch of time.
  ///   - asked: when it was asked first, nanoseconds.
  mutating func compare(_ csv: [UInt8], asked: Int64) {
    var last = (writer: -1, series: -1, slot: -1)
    for line in csv.split(separator: UInt8(ascii: "\n")).dropFirst() {
      guard let row = row(line) else {
        note("garbled: \(String(decoding: line, as: UTF8.self))")
        continue
      }
      rowCount += 1
      let place = "w\(row.writer) s\(row.series) slot \(row.slot)"
      if last.writer == row.writer, last.series == row.series, last.slot >= row.slot { note("doubled: \(place)") }
      last = (row.writer, row.series, row.slot)
      if keeps[row.writer] { rows.append(row) }
      check(row, place, asked: asked)
    }
  }

  /// What should have been in the answers by now and was not.
  mutating func finish(asked: Int64) {
    for (index, model) in models.enumerated() { findMissing(index, model, asked: asked) }
  }

  private mutating func check(_ row: SoakRow, _ place: String, asked: Int64) {
    let model = models[row.writer]
    if model.time(row.slot) < asked - ttl { note("expired and back: \(place)") }
    let wanted = model[row.series, row.slot]
    if row.slot < seen[row.writer][row.series].count { seen[row.writer][row.series][row.slot] = true }
    if row.fields == wanted { return }
    let other = pending[row.writer].flatMap {
      SoakModel.outcome(of: $0, series: row.series, slot: row.slot, from: wanted)
    }
    if row.fields != other { note("\(place): expected \(wanted) or \(String(describing: other)), found \(row.fields)") }
  }

  private mutating func findMissing(_ index: Int, _ model: SoakModel, asked: Int64) {
    for (series, slots) in model.fields.enumerated() {
      for (slot, fields) in slots.enumerated() where !fields.isEmpty && !seen[index][series][slot] {
        if model.time(slot) < asked - ttl + Self.margin { continue }
        let other = pending[index].flatMap { SoakModel.outcome(of: $0, series: series, slot: slot, from: fields) }
        if other?.isEmpty != true { note("lost: w\(index) s\(series) slot \(slot), \(fields)") }
      }
    }
  }

  private mutating func note(_ problem: String) {
    if problems.count < 20 { problems.append(problem) }
  }

  /// `time,writer,n,v,w`.
  private func row(_ line: ArraySlice<UInt8>) -> SoakRow? {
    let parts = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    guard parts.count == 5, let time = number(parts[0]), let writer = number(parts[1].dropFirst()),
      let series = number(parts[2].dropFirst()), models.indices.contains(Int(writer)),
      (0..<SoakModel.seriesCount).contains(Int(series))
    else { return nil }
    let offset = time - models[Int(writer)].base
    guard offset >= 0, offset % SoakModel.slotLength == 0 else { return nil }
    guard let v = parts[3].isEmpty ? 0 : number(parts[3]), let w = parts[4].isEmpty ? 0 : number(parts[4]) else { return nil }
    return SoakRow(
      writer: Int(writer), series: Int(series), slot: Int(offset / SoakModel.slotLength),
      fields: SoakModel.Fields(v: Int32(v), w: Int32(w)))
  }

  private func number(_ bytes: ArraySlice<UInt8>) -> Int64? {
    var value: Int64 = 0
    for byte in bytes {
      guard byte >= 48, byte <= 57, value < Int64.max / 16 else { return nil }
      value = value * 10 + Int64(byte - 48)
    }
    return bytes.isEmpty ? nil : value
  }
}
