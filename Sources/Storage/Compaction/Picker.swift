/// What to merge next: one pure function of the windows' runs, the clock and the settings (DESIGN 7).
package struct Picker: Sendable {
  package var settings: CompactionSettings
  /// The store clock, nanoseconds.
  package var now: Int64

  package init(settings: CompactionSettings, now: Int64) {
    self.settings = settings
    self.now = now
  }

  /// Everything that is due, the most urgent first; at most one plan a window.
  ///
  /// - Parameters:
  ///   - busy: windows in which a job is under way.
  ///   - forced: windows whose final merge was asked for.
  ///   - floors: points of a keyspace before it are expired; windows before it wait to be dropped.
  package func plans(
    _ keyspaces: [KeyspaceState], busy: Set<WindowID> = [], forced: Set<WindowID> = [],
    floors: [KeyspaceID: Int64] = [:]
  ) -> [CompactionPlan] {
    var plans: [CompactionPlan] = []
    for keyspace in keyspaces {
      let floor = floors[keyspace.id] ?? keyspace.horizon
      for window in keyspace.windows where window.end > floor {
        let id = WindowID(keyspace: keyspace.id, start: window.start)
        guard !busy.contains(id) else { continue }
        if let plan = plan(window, id, in: keyspace, isForced: forced.contains(id)) { plans.append(plan) }
      }
    }
    return plans.sorted { a, b in (a.rank, a.window) < (b.rank, b.window) }
  }

  /// Bytes that merging still has to write: all of a window that ended and is not one run, and what is due in those that fill.
  package func debt(_ keyspace: KeyspaceState) -> UInt64 {
    keyspace.windows.reduce(0) { sum, window in
      guard window.end > keyspace.horizon else { return sum }
      if settings.policy == .timeWindow, window.runs.count > 1, isPast(window) { return sum + window.byteCount }
      let id = WindowID(keyspace: keyspace.id, start: window.start)
      return sum + (plan(window, id, in: keyspace, isForced: false)?.byteCount ?? 0)
    }
  }

  /// Why a window is as it is, and what it waits for, for people.
  package func outlook(_ window: WindowState, in keyspace: KeyspaceState) -> String {
    let count = window.runs.count
    let id = WindowID(keyspace: keyspace.id, start: window.start)
    if let plan = plan(window, id, in: keyspace, isForced: false) { return "due: \(plan.reason)" }
    if keyspace.holdsDeleted(window) { return "holds what was deleted, taken out \(spanText(settings.clearDelay)) after the delete" }
    if count < 2 { return isPast(window) ? "settled" : "open: \(count) runs" }
    if settings.policy != .timeWindow { return "not merged by policy: \(count) runs" }
    if !isPast(window) { return "open: \(count) runs, merged at \(settings.runCountMax)" }
    let quietFor = spanText(now.subtractingClamped(newest(window.runs[...])))
    guard let settled = window.runs.lastIndex(where: \.isFinal) else {
      return "ended: \(count) runs, quiet for \(quietFor) of \(spanText(settings.quiet))"
    }
    let late = window.runs[(settled + 1)...]
    return "closed: \(late.count) late runs of \(sizeText(late.byteCount)), quiet for \(quietFor)"
  }

  /// When a window becomes due if nothing more is flushed into it, nanoseconds of the store clock, not before now; `nil`: never.
  package func dueTime(_ window: WindowState, in keyspace: KeyspaceState) -> Int64? {
    let id = WindowID(keyspace: keyspace.id, start: window.start)
    if plan(window, id, in: keyspace, isForced: false) != nil { return now }
    return [mergeDueTime(window), clearDueTime(window, in: keyspace)].compactMap { $0 }.min()
  }

  private func clearDueTime(_ window: WindowState, in keyspace: KeyspaceState) -> Int64? {
    let created = window.runs.compactMap { keyspace.tombstones(above: $0, in: window).first?.createdAt }
    return created.min()?.addingClamped(settings.clearDelay)
  }

  private func mergeDueTime(_ window: WindowState) -> Int64? {
    guard window.runs.count > 1, settings.policy == .timeWindow, let first = window.runs.first else { return nil }
    guard let settled = window.runs.lastIndex(where: \.isFinal) else {
      let filled = window.end.addingClamped(settings.lateness)
      let quiet = newest(window.runs[...]).addingClamped(settings.quiet)
      return min(max(filled, quiet), max(filled, first.publishedAt).addingClamped(settings.patience))
    }
    let late = window.runs[(settled + 1)...]
    guard !late.isEmpty else { return nil }
    let isHeavy = isHeavy(late.rowCount, window.runs[...settled].rowCount)
    return newest(late).addingClamped(isHeavy ? min(settings.quiet, settings.patience) : settings.patience)
  }

  /// Whether a window has had its final merge, or needs none.
  package func isClosed(_ window: WindowState) -> Bool {
    window.runs.contains(where: \.isFinal) || (window.runs.count < 2 && isPast(window))
  }

  // MARK: One window

  private func plan(
    _ window: WindowState, _ id: WindowID, in keyspace: KeyspaceState, isForced: Bool
  ) -> CompactionPlan? {
    mergePlan(window, id, isForced: isForced) ?? clearPlan(window, id, in: keyspace, isForced: isForced)
  }

  private func mergePlan(_ window: WindowState, _ id: WindowID, isForced: Bool) -> CompactionPlan? {
    guard window.runs.count > 1 else { return nil }
    if isForced { return merge(window.runs[...], id, isFinal: true, rank: 0, "asked for") }
    guard settings.policy == .timeWindow else { return nil }
    if let settled = window.runs.lastIndex(where: \.isFinal) {
      return fold(window, id, settled: settled) ?? tier(window.runs[(settled + 1)...], of: window, id)
    }
    return settle(window, id) ?? tier(window.runs[...], of: window, id)
  }

  /// The final merge.
  private func settle(_ window: WindowState, _ id: WindowID) -> CompactionPlan? {
    guard isPast(window), let first = window.runs.first else { return nil }
    let quietFor = now.subtractingClamped(newest(window.runs[...]))
    let ended = "window ended \(spanText(now.subtractingClamped(window.end))) ago"
    if quietFor >= settings.quiet {
      return merge(window.runs[...], id, isFinal: true, rank: 3, "\(ended), quiet for \(spanText(quietFor))")
    }
    // A backfill into an old window counts from its first run.
    let since = max(window.end.addingClamped(settings.lateness), first.publishedAt)
    guard now.subtractingClamped(since) >= settings.patience else { return nil }
    return merge(window.runs[...], id, isFinal: true, rank: 3, "\(ended), never quiet")
  }

  /// Late runs into the merged one.
  private func fold(_ window: WindowState, _ id: WindowID, settled: Int) -> CompactionPlan? {
    let late = window.runs[(settled + 1)...]
    guard !late.isEmpty else { return nil }
    let quietFor = now.subtractingClamped(newest(late))
    // By rows: a table of a few takes many times the bytes that they add to the merged one.
    let (lateRows, settledRows) = (late.rowCount, window.runs[...settled].rowCount)
    let runs = "\(late.count) late run\(late.count == 1 ? "" : "s") of \(lateRows) rows"
    let reason: String
    if lateRows > settledRows {
      reason = "\(runs) outweigh the merged \(settledRows)"
    } else if quietFor >= settings.patience {
      reason = "\(runs), quiet for \(spanText(quietFor))"
    } else if quietFor >= settings.quiet, isHeavy(lateRows, settledRows) {
      reason = "\(runs) are an eighth of the merged \(settledRows), quiet for \(spanText(quietFor))"
    } else {
      return nil
    }
    return merge(window.runs[...], id, isFinal: true, rank: 2, reason)
  }

  /// Eight adjacent runs of similar size into one, once the window has as many as it may.
  ///
  /// Of all stretches of eight the most even is taken, that in which the largest run has the smallest share; of equal ones the
  /// lightest. So runs grow in tiers of eight, and a byte is written about log₈(flushes ÷ 16) + 1 times: 1.9 for 256 flushes of one
  /// size, 2.8 for 1,024, 4.4 where their sizes vary two-hundredfold. (The lightest stretch of those with no run above a bound
  /// came to 16 and more: tiers of up to seven runs each do not fit under 16.)
  private func tier(_ runs: ArraySlice<RunState>, of window: WindowState, _ id: WindowID) -> CompactionPlan? {
    guard window.runs.count >= settings.runCountMax, runs.count >= settings.mergeCount else { return nil }
    var best: (share: Double, byteCount: UInt64, start: Int)?
    for start in runs.startIndex...(runs.endIndex - settings.mergeCount) {
      let stretch = runs[start..<start + settings.mergeCount]
      let (sum, largest) = (stretch.byteCount, stretch.map(\.byteCount).max() ?? 0)
      let share = Double(largest) / Double(max(sum, 1))
      if let best, (best.share, best.byteCount) <= (share, sum) { continue }
      best = (share, sum, start)
    }
    guard let best else { return nil }
    return merge(
      runs[best.start..<best.start + settings.mergeCount], id, isFinal: false, rank: 1,
      "\(window.runs.count) runs in the window")
  }

  /// What is deleted goes from the disk, under every policy: a run at a time, the oldest first.
  private func clearPlan(
    _ window: WindowState, _ id: WindowID, in keyspace: KeyspaceState, isForced: Bool
  ) -> CompactionPlan? {
    if keyspace.tombstones.isEmpty { return nil }
    for (index, run) in window.runs.enumerated() {
      guard let oldest = keyspace.tombstones(above: run, in: window).first else { continue }
      let age = now.subtractingClamped(oldest.createdAt)
      guard isForced || age >= settings.clearDelay else { continue }
      return merge(
        window.runs[index...index], id, isFinal: run.isFinal, rank: isForced ? 0 : 4,
        "holds what was deleted \(spanText(age)) ago")
    }
    return nil
  }

  private func merge(
    _ runs: ArraySlice<RunState>, _ id: WindowID, isFinal: Bool, rank: Int, _ why: String
  ) -> CompactionPlan {
    CompactionPlan(
      window: id, runs: runs.map(\.firstSequence), isFinal: isFinal, byteCount: runs.byteCount,
      reason: "\(why): \(runs.count) runs, \(sizeText(runs.byteCount))", rank: rank)
  }

  // MARK: Terms

  private func isPast(_ window: WindowState) -> Bool { now >= window.end.addingClamped(settings.lateness) }

  private func isHeavy(_ lateRows: Int, _ settledRows: Int) -> Bool { lateRows >= settledRows / settings.lateShare }

  private func newest(_ runs: ArraySlice<RunState>) -> Int64 { runs.map(\.publishedAt).max() ?? .min }
}

extension ArraySlice<RunState> {
  fileprivate var byteCount: UInt64 { reduce(0) { $0 + $1.byteCount } }
  fileprivate var rowCount: Int { reduce(0) { $0 + $1.rowCount } }
}
