import Dispatch
import Glibc
import Synchronization
import TestSupport

/// One sender of the durability test: writes until its connection breaks, and remembers what it was answered.
///
/// Sendable: one thread runs it; the test reads it when that thread has left the group.
final class KillWriter: @unchecked Sendable {
  /// Nanoseconds between the points of a series.
  static let step: Int64 = 1_000_000
  private static let roundLength: Int64 = 1_200_000_000_000

  final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    func store(_ new: Bool) { value.store(new, ordering: .releasing) }
    var isSet: Bool { value.load(ordering: .acquiring) }
  }

  let isTCP: Bool
  let index: Int
  let round: Int
  let name: String
  let isStopping = Flag()
  /// Points sent, and those of them, from the first on, that were acknowledged.
  private(set) var sent = 0
  private(set) var acknowledged = 0 { didSet { onAcknowledged?(acknowledged) } }
  /// Told of every acknowledgement, on the sender's thread; and how long it rests between two of its batches, microseconds.
  var onAcknowledged: (@Sendable (Int) -> Void)?
  var pause: UInt32 = 0
  private(set) var wrongAnswers: [String] = []
  private var random: SplitMix64

  init(isTCP: Bool, index: Int, round: Int, seed: UInt64) {
    self.isTCP = isTCP
    self.index = index
    self.round = round
    name = (isTCP ? "tcp" : "http") + String(index)
    random = SplitMix64(seed: seed)
  }

  /// The times of a round's points.
  static func times(of round: Int) -> Range<Int64> {
    let start = 1_750_000_000_000_000_000 + Int64(round) * roundLength
    return start..<start + roundLength
  }

  /// Which point the `number`th sent one is: neighbours are swapped, so that times do not only ascend. Its own inverse.
  static func number(of point: Int) -> Int { point ^ 5 }

  private func time(_ point: Int) -> Int64 { Self.times(of: round).lowerBound + Int64(point) * Self.step }
  private func integer(_ point: Int) -> Int { (point * 7_919 + index * 31) % 1_000_003 }
  private func text(_ point: Int) -> String { "\(name)-\(round)-\(point)" }

  /// A point as it is sent.
  private func line(_ point: Int) -> String {
    "kill9,writer=\(name) i=\(integer(point))i,f=\(point).5,s=\"\(text(point))\",b=\(point % 3 == 0) \(time(point))\n"
  }

  /// A point as the answer shows it in CSV.
  func row(_ point: Int) -> String {
    "\(time(point)),\(name),\(integer(point)),\(point).5,\(text(point)),\(point % 3 == 0)"
  }

  private func lines(_ count: Int) -> String {
    defer { sent += count }
    return (sent..<sent + count).map { line(Self.number(of: $0)) }.joined()
  }

  func start(_ server: ServerProcess, in group: DispatchGroup) {
    group.enter()
    let thread = DispatchQueue(label: name)
    thread.async { [self] in
      defer { group.leave() }
      // A broken connection is what the test is about; only answers count.
      do { try isTCP ? writeTCP(server.tcp) : writeHTTP(server.http) } catch {}
    }
  }

  private func writeTCP(_ address: String) throws {
    let socket = try TestSocket(address)
    var outstanding: [(token: String, count: Int, sent: Int)] = []
    var token = 0
    while !isStopping.isSet {
      usleep(pause)
      let count = [1, 3, 50, 300].randomElement(using: &random) ?? 1
      token += 1
      let text = lines(count) + "# ack t\(token)\n"
      outstanding.append(("t\(token)", count, sent))
      try socket.send(text)
      while outstanding.count > Int.random(in: 0...4, using: &random) {
        let (_, last) = try socket.answer()
        if last.isEmpty { return }
        let asked = outstanding.removeFirst()
        if last == "ok \(asked.token) accepted=\(asked.count) rejected=0" {
          acknowledged = asked.sent
        } else {
          wrongAnswers.append(last)
        }
      }
    }
  }

  private func writeHTTP(_ address: String) throws {
    while !isStopping.isSet {
      usleep(pause)
      let count = [1, 20, 400].randomElement(using: &random) ?? 1
      let text = lines(count)
      let answer = try RawHTTP.ask(address, "POST", "/write?db=metrics", body: Array(text.utf8))
      if answer.status == 204 {
        acknowledged = sent
      } else if answer.status != 0 {
        wrongAnswers.append("\(answer.status) \(answer.text)")
      } else {
        return
      }
    }
  }
}
