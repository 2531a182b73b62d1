package import LineProtocol

/// Distinct series of one measurement, seen any number of times: all of them up to a bound, beyond it those whose hash ends in enough
/// zero bits (adaptive sampling: Flajolet, "On adaptive sampling", Computing 1990; error 1.2 ÷ √bound). Memory is bounded.
package struct SeriesSample {
  package struct Series {
    package var key: SeriesKey
    package var byteCount: Double
  }

  package private(set) var series: [UInt64: Series] = [:]
  /// A series is kept if that many low bits of its hash are zero.
  package private(set) var depth: UInt64 = 0
  private let countMax: Int

  package init(countMax: Int) { self.countMax = countMax }

  /// How many series one of the sample stands for.
  package var weight: Int { 1 << Int(depth) }

  /// Distinct series seen; exact while `depth` is 0.
  package var count: Int { series.count * weight }

  /// Takes note of a series and of bytes that it takes somewhere.
  package mutating func add(_ keyBytes: ArraySlice<UInt8>, byteCount: Double) {
    let hash = BloomFilter.hash(keyBytes, .series)
    guard isKept(hash) else { return }
    if series[hash] != nil {
      series[hash]?.byteCount += byteCount
      return
    }
    guard let key = SeriesKey(validating: Array(keyBytes)) else { return }
    series[hash] = Series(key: key, byteCount: byteCount)
    while series.count > countMax {
      depth += 1
      series = series.filter { isKept($0.key) }
    }
  }

  private func isKept(_ hash: UInt64) -> Bool { hash & ((1 << depth) - 1) == 0 }
}
