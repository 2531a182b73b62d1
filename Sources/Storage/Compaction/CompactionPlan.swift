/// Names a window.
package struct WindowID: Hashable, Sendable, Comparable {
  package var keyspace: KeyspaceID
  /// Where it begins, nanoseconds.
  package var start: Int64

  package init(keyspace: KeyspaceID, start: Int64) {
    self.keyspace = keyspace
    self.start = start
  }

  package static func < (a: WindowID, b: WindowID) -> Bool {
    a.keyspace == b.keyspace ? a.start < b.start : a.keyspace < b.keyspace
  }
}

/// How windows are merged.
public enum CompactionPolicy: String, Sendable, CaseIterable {
  /// By time window: merged once when it is full, less often before and after (DESIGN 7).
  case timeWindow = "windows"
  /// Nothing is merged but what is asked for: for bulk loads, and, with a quota, for what is used as a cache.
  case none
}

/// What the picker goes by.
package struct CompactionSettings: Sendable, Equatable {
  private static let second: Int64 = 1_000_000_000

  package var policy = CompactionPolicy.timeWindow
  /// How long after its end a window is still expected to fill, nanoseconds.
  package var lateness: Int64 = 600 * second
  /// No flush for this long makes a window quiet.
  package var quiet: Int64 = 600 * second
  /// After this long what is not quiet is merged all the same, and small late runs are folded in.
  package var patience: Int64 = 86_400 * second
  /// Runs in a window at which some are merged.
  package var runCountMax = 16
  /// Adjacent runs that then become one.
  package var mergeCount = 8
  /// Late runs are folded in when their rows are this part of the merged run's.
  package var lateShare = 8
  /// How long a delete waits before what it hides is taken out of the files, so that several are carried out together.
  package var clearDelay: Int64 = 60 * second

  package init() {}
}

/// One thing to do in one window, and why.
package struct CompactionPlan: Sendable, Equatable {
  package var window: WindowID
  /// Runs by their first sequence numbers, adjacent, that become one; one alone is rid of what is deleted in it.
  package var runs: [UInt64]
  /// Whether it is the window's final merge.
  package var isFinal: Bool
  /// Bytes that it reads, and about as many that it writes.
  package var byteCount: UInt64
  /// "window ended 2h ago, quiet for 12m: 5 runs, 120 MiB".
  package var reason: String
  /// Lower goes first.
  var rank: Int

  init(window: WindowID, runs: [UInt64], isFinal: Bool, byteCount: UInt64, reason: String, rank: Int) {
    self.window = window
    self.runs = runs
    self.isFinal = isFinal
    self.byteCount = byteCount
    self.reason = reason
    self.rank = rank
  }
}
