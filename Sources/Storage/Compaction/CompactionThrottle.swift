/// A token bucket of bytes: what a job may write before it has to wait. A pure value; whoever holds it waits.
package struct CompactionThrottle: Sendable, Equatable {
  /// 0: without bound.
  package private(set) var bytesPerSecond: UInt64
  /// Bytes that may be written at once; below 0 what is owed.
  private var tokens: Double
  private var filledAt: Int64

  /// - Parameter monotonic: nanoseconds.
  package init(bytesPerSecond: UInt64, monotonic: Int64) {
    self.bytesPerSecond = bytesPerSecond
    tokens = Double(bytesPerSecond)
    filledAt = monotonic
  }

  /// Takes the bytes, and says how long to wait before taking more, nanoseconds. At most one second's worth is saved up.
  package mutating func take(_ byteCount: UInt64, monotonic: Int64) -> Int64 {
    guard bytesPerSecond > 0 else { return 0 }
    let rate = Double(bytesPerSecond)
    tokens = min(rate, tokens + Double(max(0, monotonic - filledAt)) / 1e9 * rate)
    filledAt = max(filledAt, monotonic)
    tokens -= Double(byteCount)
    return tokens >= 0 ? 0 : Int64(min(-tokens / rate * 1e9, 3.6e12))
  }
}
