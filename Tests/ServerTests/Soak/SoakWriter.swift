import Dispatch
import Foundation
import TestSupport

/// One sender of the soak: new points, late ones, points written over in whole or in part, deletes, and questions whose answers it knows.
/// One operation at a time, each answered before the next, so that at a kill at most one is in doubt.
///
/// Sendable: its thread and the test take turns by `turn`.
final class SoakWriter: @unchecked Sendable {
  let index: Int
  let name: String
  private let isTCP: Bool
  private(set) var model: SoakModel
  /// Sent, and never answered.
  private(set) var pending: SoakModel.Operation?
  private(set) var problems: [String] = []
  private(set) var counts = Counts()
  /// Held through an operation: who holds it finds nothing under way.
  let turn = NSLock()
  let isStopping = KillWriter.Flag()
  private var random: SplitMix64
  private var version: Int32 = 0
  private var nextSlot = 0

  struct Counts {
    var points = 0, latePoints = 0, deletes = 0, questions = 0
    static func + (one: Counts, other: Counts) -> Counts {
      Counts(
        points: one.points + other.points, latePoints: one.latePoints + other.latePoints,
        deletes: one.deletes + other.deletes, questions: one.questions + other.questions)
    }
  }

  init(index: Int, base: Int64, seed: UInt64) {
    self.index = index
    name = "w\(index)"
    isTCP = index % 2 == 0
    model = SoakModel(base: base)
    random = SplitMix64(seed: seed)
  }

  private var nowSlot: Int { Int((soakNow() - model.base) / SoakModel.slotLength) }

  // MARK: Its thread

  func start(_ server: ServerProcess, in group: DispatchGroup) {
    group.enter()
    DispatchQueue(label: name).async { [self] in
      defer { group.leave() }
      do {
        let socket = isTCP ? try TestSocket(server.tcp, timeoutSeconds: 60) : nil
        while !isStopping.isSet {
          turn.lock()
          defer { turn.unlock() }
          try step(server, socket)
        }
      } catch {
        // The server was killed: `pending` says what is in doubt.
      }
    }
  }

  private func step(_ server: ServerProcess, _ socket: TestSocket?) throws {
    switch random.next() % 40 {
    case 0: try perform(deletion(), server, socket)
    case 1, 2: try ask(server)
    case 3...7: try perform(late(), server, socket)
    default:
      usleep(20_000)
      if let operation = fresh() { try perform(operation, server, socket) }
    }
  }

  /// Slots that have begun since the last time, of every series.
  private func fresh() -> SoakModel.Operation? {
    let slots = nextSlot..<min(nowSlot, nextSlot + 40)
    if slots.isEmpty { return nil }
    nextSlot = slots.upperBound
    return write(slots.flatMap { slot in (0..<SoakModel.seriesCount).map { ($0, slot) } }, v: true, w: true)
  }

  /// Points of the last quarter of an hour again, one field of them or both.
  private func late() -> SoakModel.Operation {
    let slots = max(nextSlot - 18_000, 0)..<max(nextSlot, 1)
    let points = (0..<Int(1 + random.next() % 60)).map { _ in
      (Int(random.next() % UInt64(SoakModel.seriesCount)), Int.random(in: slots, using: &random))
    }
    counts.latePoints += points.count
    let fields = random.next() % 3
    return write(points, v: fields != 0, w: fields != 1)
  }

  private func write(_ points: [(series: Int, slot: Int)], v: Bool, w: Bool) -> SoakModel.Operation {
    version += 1
    return .write(points: points, version: version, v: v, w: w)
  }

  private func deletion() -> SoakModel.Operation {
    let start = Int.random(in: max(nextSlot - 18_000, 0)..<max(nextSlot, 1), using: &random)
    return .delete(
      series: Int(random.next() % UInt64(SoakModel.seriesCount)), slots: start..<start + Int(1 + random.next() % 200))
  }

  // MARK: Doing it

  private func perform(_ operation: SoakModel.Operation, _ server: ServerProcess, _ socket: TestSocket?) throws {
    pending = operation
    switch operation {
    case .write(let points, let version, let v, let w):
      let fields = [v ? "v=\(version)i" : nil, w ? "w=\(version)i" : nil].compactMap { $0 }.joined(separator: ",")
      let text = points.map { "soak,writer=\(name),n=s\($0.series) \(fields) \(model.time($0.slot))\n" }.joined()
      try socket == nil ? post(text, server) : send(text, points.count, socket)
      counts.points += points.count
    case .delete(let series, let slots):
      _ = try server.ask(
        "DELETE FROM soak WHERE writer='\(name)' AND n='s\(series)' AND time >= \(model.time(slots.lowerBound)) AND time < \(model.time(slots.upperBound))")
      counts.deletes += 1
    }
    model.apply(operation)
    pending = nil
  }

  private struct Refused: Error, CustomStringConvertible { var description: String }

  private func send(_ text: String, _ count: Int, _ socket: TestSocket?) throws {
    try socket?.send(text + "# ack t\(version)\n")
    let last = try socket?.answer().last ?? ""
    if last.isEmpty { throw Refused(description: "the connection ended") }
    if last != "ok t\(version) accepted=\(count) rejected=0" { problems.append("\(name): \(last)") }
  }

  private func post(_ text: String, _ server: ServerProcess) throws {
    let answer = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: Array(text.utf8))
    if answer.status == 0 { throw Refused(description: "the connection ended") }
    if answer.status != 204 { problems.append("\(name): \(answer.status) \(answer.text)") }
  }

  /// A stretch of a series that is neither too new nor about to expire: counts and sums are known.
  private func ask(_ server: ServerProcess) throws {
    let slots = max(nextSlot - 18_000, 0)..<max(nextSlot - 20, 1)
    let start = Int.random(in: slots, using: &random)
    let asked = start..<min(start + Int(1 + random.next() % 2_000), max(nextSlot - 1, start + 1))
    let series = Int(random.next() % UInt64(SoakModel.seriesCount))
    var (count, sum): (Int64, Int64) = (0, 0)
    for slot in asked where model[series, slot].v > 0 {
      count += 1
      sum += Int64(model[series, slot].v)
    }
    let answer = try server.ask(
      "SELECT count(v), sum(v) FROM soak WHERE writer='\(name)' AND n='s\(series)' AND time >= \(model.time(asked.lowerBound)) AND time < \(model.time(asked.upperBound))")
    let row = answer.first?.values.first
    counts.questions += 1
    if (row?[1].integer ?? 0) != count || (row?[2].integer ?? 0) != sum {
      problems.append("\(name): s\(series) \(asked): expected \(count), \(sum), answered \(String(describing: row))")
    }
  }

  // MARK: Settling

  /// Takes over what a server that was killed and started again shows of the pending operation.
  func settle(_ found: [SoakRow]) {
    guard let pending else { return }
    var rows: [SoakSlot: SoakModel.Fields] = [:]
    for row in found where row.writer == index { rows[SoakSlot(series: row.series, slot: row.slot)] = row.fields }
    let touched: [SoakSlot] =
      switch pending {
      case .write(let points, _, _, _): points.map { SoakSlot(series: $0.series, slot: $0.slot) }
      case .delete(let series, let slots): slots.map { SoakSlot(series: series, slot: $0) }
      }
    for place in touched { model.settle(place.series, place.slot, as: rows[place] ?? SoakModel.Fields()) }
    self.pending = nil
  }
}

struct SoakSlot: Hashable {
  var series: Int
  var slot: Int
}

/// A stored point.
struct SoakRow {
  var writer: Int
  var series: Int
  var slot: Int
  var fields: SoakModel.Fields
}

func soakNow() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
