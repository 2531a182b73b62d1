/// Adds up the time of what is to be measured, and leaves out what only checks it.
struct Stopwatch {
  private(set) var seconds = 0.0
  /// Calls meanwhile, where they are counted.
  private(set) var calls = CallCounts()
  private let counter: CallCounter?

  init(_ counter: CallCounter? = nil) { self.counter = counter }

  mutating func time<Answer>(_ body: () throws -> Answer) rethrows -> Answer {
    let before = counter?.read()
    let start = monotonicSeconds()
    defer {
      seconds += monotonicSeconds() - start
      if let counter, let before { calls += counter.read() - before }
    }
    return try body()
  }
}
