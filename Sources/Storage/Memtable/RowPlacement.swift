package import LineProtocol

/// Consecutive rows of a batch that go to one window.
package struct RowStretch: Sendable, Equatable {
  package var rows: Range<Int>
  /// Index in `RowPlacement.windows`; below 0: refused, to be left out everywhere.
  package var window: Int

  /// Refused because its time lies outside, or has no window.
  package static let refusedByTime = -1
  /// Refused because its series is new and there is no room for it.
  package static let refusedByLimit = -2

  package init(rows: Range<Int>, window: Int) {
    self.rows = rows
    self.window = window
  }
}

/// Where the rows of a batch go, found once for encoding and inserting: consecutive rows nearly always share
/// a window, so that the loops over rows carry no look-up. One is used for one batch after another.
package struct RowPlacement: Sendable {
  /// In order of rows; together all rows of the batch.
  package private(set) var stretches: [RowStretch] = []
  /// The windows that the batch touches, in order of first use; disjoint.
  package private(set) var windows: [Range<Int64>] = []
  /// Rows that are not refused.
  package private(set) var acceptedCount = 0
  /// Indices into `windows`, sorted by start.
  private var order: [Int] = []

  package init() {}

  /// Places the rows of `batch`. Costs a comparison or two a row.
  ///
  /// - Parameters:
  ///   - valid: rows outside of it are refused (expired, or too far in the future).
  ///   - isMeant: whether a row is to be placed at all; the others are left out as refused ones are. `nil`: all.
  ///   - window: the window that covers a time; called when no window found so far covers a row. It may be
  ///     called with a time of another row than the first. It answers `nil` to refuse the row.
  package mutating func place(
    _ batch: LineBatch, valid: Range<Int64>, isMeant: ((Int) -> Bool)? = nil,
    window: (Int64) throws(StorageError) -> Range<Int64>?
  ) throws(StorageError) {
    stretches.removeAll(keepingCapacity: true)
    windows.removeAll(keepingCapacity: true)
    order.removeAll(keepingCapacity: true)
    acceptedCount = 0
    let count = batch.count
    // Valid while the batch is not changed, which nobody does meanwhile.
    let timestamps = unsafe batch.timestamps.base
    var start = 0
    while start < count {
      let isPlaced = isMeant?(start) ?? true
      let index = isPlaced ? try unsafe self.window(for: timestamps[start], valid: valid, find: window) : -1
      let range = index < 0 ? 0..<0 : windows[index].clamped(to: valid)
      var end = start + 1
      while end < count, unsafe range.contains(timestamps[end]), isMeant?(end) ?? true { end += 1 }
      if index >= 0 { acceptedCount += end - start }
      if let last = stretches.last, last.window == index {
        stretches[stretches.count - 1].rows = last.rows.lowerBound..<end
      } else {
        stretches.append(RowStretch(rows: start..<end, window: index))
      }
      start = end
    }
  }

  /// Refuses rows that were placed; windows that are left without a row go.
  package mutating func refuse(_ isRefused: (Int) -> Bool) {
    let placed = stretches
    let placedWindows = windows
    stretches.removeAll(keepingCapacity: true)
    windows.removeAll(keepingCapacity: true)
    acceptedCount = 0
    var places = [Int](repeating: -1, count: placedWindows.count)
    for stretch in placed {
      if stretch.window < 0 {
        stretches.append(stretch)
        continue
      }
      var start = stretch.rows.lowerBound
      while start < stretch.rows.upperBound {
        let refused = isRefused(start)
        var end = start + 1
        while end < stretch.rows.upperBound, isRefused(end) == refused { end += 1 }
        if !refused {
          acceptedCount += end - start
          if places[stretch.window] < 0 {
            places[stretch.window] = windows.count
            windows.append(placedWindows[stretch.window])
          }
        }
        stretches.append(
          RowStretch(rows: start..<end, window: refused ? RowStretch.refusedByLimit : places[stretch.window]))
        start = end
      }
    }
  }

  private mutating func window(
    for time: Int64, valid: Range<Int64>, find: (Int64) throws(StorageError) -> Range<Int64>?
  ) throws(StorageError) -> Int {
    guard valid.contains(time) else { return -1 }
    var (low, high) = (0, order.count)
    while low < high {
      let middle = (low + high) / 2
      if windows[order[middle]].upperBound <= time { low = middle + 1 } else { high = middle }
    }
    if low < order.count, windows[order[low]].lowerBound <= time { return order[low] }
    guard let found = try find(time) else { return -1 }
    precondition(found.contains(time), "window \(found) does not cover \(time)")
    windows.append(found)
    order.insert(windows.count - 1, at: low)
    return windows.count - 1
  }
}
