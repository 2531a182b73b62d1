/// When a write is acknowledged.
public enum SyncMode: Sendable, Equatable {
  /// After its log record is synced; syncs are shared by a group.
  case group
  /// At once; the log is synced that often.
  case interval(Duration)
  /// At once; the system writes when it likes.
  case none
}
