/// xoshiro256++, seeded by SplitMix64. Source: D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators".
struct WorkloadRandom {
  private var a: UInt64
  private var b: UInt64
  private var c: UInt64
  private var d: UInt64

  init(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    (a, b, c, d) = (next(), next(), next(), next())
  }

  @inline(__always) mutating func next() -> UInt64 {
    let sum = a &+ d
    let result = (sum << 23 | sum >> 41) &+ a
    let t = b << 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = d << 45 | d >> 19
    return result
  }

  /// In 0..<1.
  mutating func uniform() -> Double { Double(next() >> 11) * (1.0 / 9007199254740992.0) }

  /// In 0..<count.
  mutating func below(_ count: UInt64) -> UInt64 { next().multipliedFullWidth(by: count).high }

  /// About N(0,1): binomial(40, 1/2) from 40 bits, dithered by 24 bits. Exact operations only, so the same everywhere.
  @inline(__always) mutating func normal() -> Double {
    let bits = next()
    let sum = Double((bits >> 24).nonzeroBitCount) + Double(bits & 0xff_ffff) * (1.0 / 16777216.0)
    return (sum - 20.5) * 0.31492366450313446
  }
}

/// How a value moves from one tick to the next.
struct Walk {
  enum Kind: UInt8 {
    /// By normal steps, kept in `low...high`.
    case clamped
    /// By the magnitude of normal steps: a counter.
    case rising
    /// By normal steps.
    case free
    case constant
  }
  var kind: Kind
  var mean: Double
  var deviation: Double
  var low = 0.0
  var high = 0.0
  var state = 0.0

  static let still = Walk(kind: .constant, mean: 0, deviation: 0)

  static func clamped(_ mean: Double, _ deviation: Double, _ low: Double, _ high: Double, _ state: Double)
    -> Walk
  {
    Walk(kind: .clamped, mean: mean, deviation: deviation, low: low, high: high, state: state)
  }
  static func rising(_ mean: Double, _ deviation: Double) -> Walk {
    Walk(kind: .rising, mean: mean, deviation: deviation)
  }
  static func free(_ mean: Double, _ deviation: Double) -> Walk {
    Walk(kind: .free, mean: mean, deviation: deviation)
  }

  @inline(__always) mutating func advance(_ random: inout WorkloadRandom) {
    if kind == .constant { return }
    let step = random.normal() * deviation + mean
    if kind == .rising {
      state += step < 0 ? -step : step
      return
    }
    state += step
    if kind == .clamped {
      if state > high { state = high }
      if state < low { state = low }
    }
  }
}
