/// Parsed lines as structure of arrays: what one pass over received bytes makes, and what one log record is made of.
///
/// Row `i` has `series[i]` and `fieldLists[i]`, numbers of the receiver's `Vocabulary`, `timestamps[i]` in nanoseconds and
/// `lines[i]`. Its values follow those of row `i - 1` in `values`, one for each field of its field list: a float's or an
/// integer's 8 bytes as they are, a boolean as 0 or 1, a string as `offset << 32 | byteCount` into `strings`
/// (unescaped). One batch is reused for one read after another; it belongs to one thread.
public final class LineBatch {
  public var series = Buffer<UInt32>()
  public var fieldLists = Buffer<UInt32>()
  public var timestamps = Buffer<Int64>()
  public var lines = Buffer<UInt64>()
  public var values = Buffer<UInt64>()
  public var strings = Buffer<UInt8>()
  /// Refused lines, the first `rejectCountKept` of them; `rejectCount` counts all.
  public var rejects: [Reject] = []
  public var rejectCount = 0
  /// Refused lines by `RejectReason.rawValue`.
  public var rejectCounts = [Int](repeating: 0, count: RejectReason.allCases.count)

  /// Refused lines kept with their text in one batch; those past it are only counted.
  public static let rejectCountKept = 1_000

  public init() {}

  /// Rows held.
  public var count: Int { timestamps.count }

  /// Forgets all rows and rejects, keeps the memory.
  public func reset() {
    series.reset()
    fieldLists.reset()
    timestamps.reset()
    lines.reset()
    values.reset()
    strings.reset()
    rejects.removeAll(keepingCapacity: true)
    rejectCount = 0
    for index in rejectCounts.indices { rejectCounts[index] = 0 }
  }

  /// Counts a refused line and keeps it while there is room.
  public func refuse(_ reject: Reject) {
    rejectCount += 1
    rejectCounts[Int(reject.reason.rawValue)] += 1
    if rejects.count < Self.rejectCountKept { rejects.append(reject) }
  }
}
