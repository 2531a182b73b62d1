/// When what the disk refused to read is asked for again: a refusal may pass, and damage does not.
final class Rereading: Sendable {
  static let pause: Duration = .seconds(60)

  private let monotonicClock: @Sendable () -> Int64
  private let due = Lock<Int64?>(nil)

  init(monotonicClock: @escaping @Sendable () -> Int64) { self.monotonicClock = monotonicClock }

  /// The disk refused: it is asked again after a pause.
  func noteRefusal() {
    let time = monotonicClock() + Self.pause.wholeNanoseconds
    due.withLock { $0 = $0 ?? time }
  }

  /// Whether the pause is over; the next refusal begins another.
  func takeIsDue() -> Bool {
    due.withLock { due in
      guard let time = due, monotonicClock() >= time else { return false }
      due = nil
      return true
    }
  }
}
