/// What of the log must go so that it stays within its limit.
extension WriteAheadLog {
  /// The number that the next batch gets.
  package var nextSequence: UInt64 { state.withLock { $0.nextSequence } }

  /// Where the log is longer than `byteCountMax`: the highest number of the oldest segments, so many that what is behind them
  /// is at most half of it. Parts that hold a number at or below it keep those segments and are to be flushed.
  package func sequence(pinnedAbove byteCountMax: Int) -> UInt64? {
    state.withLock { state in
      let ended = state.retained + state.ending
      var byteCount = ended.reduce(state.open.offset) { $0 + $1.byteCount }
      guard byteCount > UInt64(byteCountMax) else { return nil }
      var pinned: UInt64?
      for segment in ended where byteCount > UInt64(byteCountMax / 2) {
        byteCount -= segment.byteCount
        pinned = max(pinned ?? 0, segment.lastSequence)
      }
      return pinned
    }
  }
}
