/// What of one keyspace is seen, and what is dropped for good (DESIGN, rule 5). A pure value.
///
/// `floor` is what readers and writers go by: points before it are invisible and refused, at once. `horizon` is what files are
/// dropped by: it follows the floor, never goes back, and stays where it is while the store clock is doubted, or for 30 s after
/// a TTL was made shorter or the store was opened, so that an `ALTER` back undoes the one before.
///
/// What the store keeps of it: the horizon, in the edit that drops windows (`dropWindows`) or lengthens the TTL (`setHorizon`
/// beside `alterKeyspace`), and at close.
package struct Horizon: Sendable, Equatable {
  /// How long a shorter TTL waits before it drops anything.
  package static let grace: Int64 = 30 * 1_000_000_000

  /// Everything before it is dropped for good; `Int64.min`: nothing is.
  package private(set) var horizon: Int64
  /// Nanoseconds; 0: for ever.
  package private(set) var ttl: Int64
  /// The TTL that the horizon goes by until `graceEnd`, by the monotonic clock.
  private var ttlBefore: Int64
  private var graceEnd: Int64

  /// - Parameters: as the manifest has them, and the monotonic clock now: nothing is dropped in the first 30 s after a start
  ///   either, since a TTL may have been shortened just before the stop.
  package init(horizon: Int64, ttl: Int64, monotonic: Int64) {
    self.horizon = horizon
    self.ttl = ttl
    ttlBefore = 0
    graceEnd = monotonic.addingClamped(Self.grace)
  }

  /// Takes a new TTL. One that is longer holds at once, for what is not dropped yet.
  ///
  /// Where the TTL grows, first move the horizon with `advance` and keep it in the same edit.
  package mutating func alter(ttl new: Int64, monotonic: Int64) {
    let inForce = monotonic < graceEnd ? ttlBefore : ttl
    ttl = new
    if Self.isShorter(new, than: inForce) {
      ttlBefore = inForce
      graceEnd = monotonic.addingClamped(Self.grace)
    } else {
      graceEnd = monotonic
    }
  }

  /// Points before it are invisible; a write before it is refused as expired.
  package func floor(now: Int64) -> Int64 { max(horizon, Self.cut(now, ttl)) }

  /// Moves the horizon as far as it may go and returns it. Give `nil` as `now` while the store clock is doubted.
  @discardableResult
  package mutating func advance(now: Int64?, monotonic: Int64) -> Int64 {
    guard let now else { return horizon }
    horizon = max(horizon, Self.cut(now, monotonic < graceEnd ? ttlBefore : ttl))
    return horizon
  }

  /// Moves the horizon because windows were dropped for another reason than their age.
  package mutating func raise(to time: Int64) { horizon = max(horizon, time) }

  /// When a window that ends at `end` is dropped, by the store clock as it runs now, not before now; `nil`: never.
  package func dropTime(windowEnd end: Int64, now: Int64, monotonic: Int64) -> Int64? {
    if end <= horizon { return now }
    guard ttl != 0 else { return nil }
    let expiry = end.addingClamped(ttl)
    let graceRest = graceRest(monotonic: monotonic)
    if graceRest == 0 { return max(now, expiry) }
    // Until the grace ends the TTL before is gone by.
    let before = ttlBefore == 0 ? Int64.max : end.addingClamped(ttlBefore)
    return max(now, min(before, max(expiry, now.addingClamped(graceRest))))
  }

  /// How long a shorter TTL, or a start, still waits before it drops anything, nanoseconds.
  package func graceRest(monotonic: Int64) -> Int64 { max(0, graceEnd.subtractingClamped(monotonic)) }

  /// The time before which a TTL leaves nothing.
  package static func cut(_ now: Int64, _ ttl: Int64) -> Int64 {
    ttl == 0 ? .min : now.subtractingClamped(ttl)
  }

  private static func isShorter(_ a: Int64, than b: Int64) -> Bool { a != 0 && (b == 0 || a < b) }
}
