import Storage

/// Durations counted by upper bound; a few a second, so a lock will do.
final class Histogram: Sendable {
  let bounds: [Double]
  private let state: Lock<(counts: [UInt64], sum: Double)>

  /// Upper bounds in seconds, ascending.
  init(bounds: [Double]) {
    self.bounds = bounds
    state = Lock(([UInt64](repeating: 0, count: bounds.count + 1), 0))
  }

  func observe(seconds: Double) {
    let index = bounds.firstIndex { seconds <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[index] += 1
      state.sum += seconds
    }
  }

  var snapshot: (counts: [UInt64], sum: Double) { state.withLock { $0 } }
}
