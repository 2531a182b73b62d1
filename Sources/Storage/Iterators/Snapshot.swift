/// One keyspace as of one moment, held for reading: immutable, without locks, pins the files it names while it lives.
public final class Snapshot: Sendable {
  /// Those that hold anything, ascending by time.
  package let windows: [WindowSnapshot]
  /// Points before it are invisible: expired.
  package let floor: Int64
  /// What keeps the files: the version.
  private let pin: (any AnyObject & Sendable)?
  /// Where queries say what they read; `nil` where nobody asks.
  package let reads: ReadCounters?

  package init(
    windows: [WindowSnapshot], floor: Int64, pin: (any AnyObject & Sendable)?, reads: ReadCounters? = nil
  ) {
    self.windows = windows
    self.floor = floor
    self.pin = pin
    self.reads = reads
  }
}

/// One window of a snapshot.
package struct WindowSnapshot: Sendable {
  package var range: Range<Int64>
  /// Ascending by sequence number: a later one wins.
  package var runs: [any SortedRun]
  /// Where what is damaged is left out, and said; `nil`: it throws.
  package var leftOut: LeftOut?

  package init(range: Range<Int64>, runs: [any SortedRun], leftOut: LeftOut? = nil) {
    self.range = range
    self.runs = runs
    self.leftOut = leftOut
  }
}
