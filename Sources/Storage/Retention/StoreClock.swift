/// The time by which points expire and windows are dropped: the wall clock, but for steps forward, which are believed only
/// after they have stood for a while by the monotonic clock (DESIGN, rule 5).
///
/// A clock that is set wrong must not delete data. A pure value: readings of both clocks go in, the time comes out. Across a
/// restart the last time known is the newest that the manifest holds (`ManifestState.lastKnownTime`): a start that finds the wall
/// clock far past it takes that for a step, which costs a late start 30 s or ten minutes without drops, and nothing else.
/// Steps back are followed at once: the horizon never goes back, so they drop nothing.
package struct StoreClock: Sendable, Equatable {
  private static let second: Int64 = 1_000_000_000
  /// Steps up to it are followed at once.
  package static let stepMax: Int64 = 3_600 * second
  /// Steps above `stepMax` must stand this long; those above a day the longer.
  package static let standing: Int64 = 30 * second
  package static let dayStep: Int64 = 86_400 * second
  package static let standingAfterDay: Int64 = 600 * second
  /// How far a step may move while it stands.
  package static let wobble: Int64 = 60 * second

  /// A step forward that is not believed yet.
  package struct Step: Sendable, Equatable {
    /// Wall clock less store clock when it was first seen, nanoseconds.
    package var length: Int64
    /// When that was, by the monotonic clock.
    package var since: Int64

    /// How long it must stand.
    package var standing: Int64 { length > dayStep ? standingAfterDay : StoreClock.standing }
  }

  /// The store's time at the last reading, and the monotonic clock's.
  package private(set) var now: Int64
  private var monotonic: Int64
  /// The step that is being watched; while there is one nothing is dropped.
  package private(set) var doubted: Step?

  /// - Parameter lastKnown: the newest time that the manifest holds; `nil`: a store without a past believes the wall clock.
  package init(wall: Int64, monotonic: Int64, lastKnown: Int64?) {
    now = lastKnown ?? wall
    self.monotonic = monotonic
    read(wall: wall, monotonic: monotonic)
  }

  /// Takes a reading of both clocks; the answer is `now`.
  @discardableResult
  package mutating func read(wall: Int64, monotonic reading: Int64) -> Int64 {
    // Other threads' readings may come late; the monotonic clock counts from the latest.
    let passed = max(0, reading &- monotonic)
    monotonic = max(monotonic, reading)
    let expected = now.addingClamped(passed)
    let length = wall.subtractingClamped(expected)
    guard length > Self.stepMax else {
      doubted = nil
      now = wall
      return now
    }
    if let step = doubted, length.distanceClamped(to: step.length) <= Self.wobble {
      if monotonic - step.since >= step.standing {
        doubted = nil
        now = wall
        return now
      }
    } else {
      doubted = Step(length: length, since: monotonic)
    }
    now = expected
    return now
  }
}

extension Int64 {
  /// The sum, cut at the ends of the range.
  func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  /// The difference, cut at the ends of the range.
  func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other < 0 ? .max : .min) : difference
  }

  fileprivate func distanceClamped(to other: Int64) -> Int64 {
    self > other ? subtractingClamped(other) : other.subtractingClamped(self)
  }
}

extension ManifestState {
  /// The newest store time that the manifest holds: when the last run was published, or the time noted on purpose. `nil` in a
  /// store that never wrote one. Too low a time is safe (a start then doubts for a while), too high would not be.
  package var lastKnownTime: Int64? {
    let published = keyspaces.lazy.flatMap(\.windows).flatMap(\.runs).map(\.publishedAt).max() ?? .min
    let known = max(published, clock)
    return known == .min ? nil : known
  }
}
