/// A sum of floats that is rounded once, at the end: the rounded total and what its roundings lost.
///
/// The error of the result is that of one rounding as long as `n · 2⁻¹⁰⁶ · Σ|x|` is small against the sum, so that the order of
/// adding, and with it the layout of the data, shows in the last bit at most. Source: Knuth, TAOCP 2, 4.2.2, TwoSum; Ogita, Rump,
/// Oishi, "Accurate sum and dot product", SIAM J. Sci. Comput. 26, 2005, Sum2.
package struct CompensatedSum: Sendable, Equatable {
  package var sum: Double
  package var error: Double

  package init(sum: Double = 0, error: Double = 0) {
    self.sum = sum
    self.error = error
  }

  /// Adds a value exactly, but for the rounding of the error.
  @inline(__always)
  package mutating func add(_ value: Double) {
    let total = sum + value
    let part = total - sum
    error += (sum - (total - part)) + (value - part)
    sum = total
  }

  /// Adds another sum.
  @inline(__always)
  package mutating func add(_ other: CompensatedSum) {
    add(other.sum)
    error += other.error
  }

  /// The sum, rounded. Infinities and NaN are what plain addition gives: their errors mean nothing.
  package var value: Double { sum.isFinite ? sum + error : sum }
}
