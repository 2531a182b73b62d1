extension Store {
  /// What is dropped next and why each window is still here. Reads the manifest's state, no file.
  public func retentionReport() -> RetentionReport {
    let version = publisher.version
    var held = HeldFiles(publisher.janitor.heldFiles, snapshotAge: snapshots.oldestNanoseconds)
    var report = RetentionReport(
      time: retainer.now, doubtedStep: retainer.doubtedStep, oldestSnapshot: snapshots.oldestNanoseconds,
      policies: [], windows: [])
    for keyspace in version.keyspaces {
      let standing = retainer.standing(of: keyspace.state)
      let rows = keyspace.state.windows.map { window in
        row(window, of: keyspace.state, standing, held.take(keyspace: keyspace.id, start: window.start))
      }
      report.windows += rows
      report.policies.append(policy(keyspace.state, rows))
    }
    for (window, files) in held.rest {
      let keyspace = version.keyspace(window.keyspace)?.state
      report.windows.append(
        RetentionReport.Window(
          database: keyspace?.database ?? "", policy: keyspace?.policy ?? "", name: window.name, start: nil, end: nil,
          bytes: 0, pinnedBytes: files.byteCount, dropAt: nil, why: "dropped; " + held.words(files)))
    }
    return report
  }

  private func policy(_ keyspace: KeyspaceState, _ rows: [RetentionReport.Window]) -> RetentionReport.Policy {
    let counts = retainer.counts(of: keyspace.id)
    let next = rows.filter { $0.dropAt != nil }.min { ($0.dropAt ?? .max) < ($1.dropAt ?? .max) }
    return RetentionReport.Policy(
      database: keyspace.database, policy: keyspace.policy, ttl: keyspace.ttl, windows: keyspace.windows.count,
      bytes: keyspace.windows.reduce(0) { $0 + $1.byteCount }, nextStart: next?.start, nextEnd: next?.end,
      nextAt: next?.dropAt, nextBytes: next?.bytes ?? 0, droppedWindows: counts.windows, droppedBytes: counts.bytes)
  }

  private func row(
    _ window: WindowState, of keyspace: KeyspaceState, _ standing: Retainer.Standing, _ held: HeldFiles.Files?
  ) -> RetentionReport.Window {
    var time = standing.horizon.dropTime(
      windowEnd: window.end, now: standing.now, monotonic: standing.monotonic)
    var why = reason(window, of: keyspace, standing, dropTime: time)
    if let step = standing.doubtedStep, let expected = time, expected <= standing.now.addingClamped(step.length) {
      // By the wall clock, which holds from then on.
      time = standing.now.addingClamped(step.length).addingClamped(standing.doubtRest)
    }
    if let held { why += "; " + HeldFiles.words(held, snapshotAge: snapshots.oldestNanoseconds) }
    return RetentionReport.Window(
      database: keyspace.database, policy: keyspace.policy,
      name: WindowFileName(keyspace: keyspace.id, start: window.start).name, start: window.start, end: window.end,
      bytes: window.byteCount, pinnedBytes: held?.byteCount ?? 0, dropAt: time, why: why)
  }

  /// Why a window that stands is still here.
  private func reason(
    _ window: WindowState, of keyspace: KeyspaceState, _ standing: Retainer.Standing, dropTime: Int64?
  ) -> String {
    guard keyspace.ttl != 0, let dropTime else { return "kept for ever: the policy has no TTL" }
    let expiry = window.end.addingClamped(keyspace.ttl)
    if let step = standing.doubtedStep, expiry <= standing.now.addingClamped(step.length) {
      return "expired by the wall clock, which stepped forward by \(spanText(step.length)): it is believed in "
        + "\(spanText(standing.doubtRest)) if the step stands"
    }
    guard expiry <= standing.now else {
      let rest = spanText(expiry.subtractingClamped(standing.now))
      return "its end plus the TTL of \(spanText(keyspace.ttl)) is \(rest) from now"
    }
    if writing == nil { return "expired: goes 30s after a server has opened the directory" }
    if dropTime > standing.now {
      let rest = spanText(standing.horizon.graceRest(monotonic: standing.monotonic))
      return "expired; a shorter TTL, or a start, waits 30s before anything is dropped: \(rest) are left"
    }
    return "expired: goes with the next round of upkeep, within a second"
  }
}
