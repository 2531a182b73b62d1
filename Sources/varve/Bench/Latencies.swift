/// How long each of a number of things took, in seconds.
struct Latencies {
  private var seconds: [Double]

  init(_ seconds: [Double]) { self.seconds = seconds.sorted() }

  /// A quantile in milliseconds, to the microsecond: of few the next higher one; 0 where nothing was timed.
  func milliseconds(_ share: Double) -> Double {
    guard !seconds.isEmpty else { return 0 }
    let place = Int((Double(seconds.count) * share).rounded(.up)) - 1
    return (seconds[min(max(place, 0), seconds.count - 1)] * 1e6).rounded() / 1e3
  }
}
