/// What keeping the data sorted costs, as three factors (INTERFACE, metrics).
package enum Amplification {
  /// Bytes that flush and compaction wrote since start ÷ bytes of the tables that stand, without the log; 0 where none stand.
  package static func write(flushed: UInt64, compacted: UInt64, standing: UInt64) -> Double {
    standing == 0 ? 0 : Double(flushed + compacted) / Double(standing)
  }

  /// Tables read ÷ (windows × series) by queries of one series since start, whose windows are those in which a table was read; 0
  /// before the first.
  package static func read(tables: UInt64, windows: UInt64) -> Double {
    windows == 0 ? 0 : Double(tables) / Double(windows)
  }

  /// Bytes of the tables that stand ÷ those of the same rows in settled runs: an estimate, from the bytes a row of windows that
  /// are one run. 1 where there is none to go by.
  package static func space(_ keyspace: KeyspaceState) -> Double {
    var settled = (byteCount: UInt64(0), rowCount: 0)
    var all = (byteCount: UInt64(0), rowCount: 0)
    for window in keyspace.windows {
      for run in window.runs {
        all = (all.byteCount + run.byteCount, all.rowCount + run.rowCount)
        if run.isFinal || window.runs.count == 1 {
          settled = (settled.byteCount + run.byteCount, settled.rowCount + run.rowCount)
        }
      }
    }
    guard settled.byteCount > 0, settled.rowCount > 0, all.rowCount > 0 else { return 1 }
    let ideal = Double(settled.byteCount) / Double(settled.rowCount) * Double(all.rowCount)
    return Double(all.byteCount) / ideal
  }
}
