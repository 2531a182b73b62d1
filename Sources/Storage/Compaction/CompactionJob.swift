/// Carries out one plan: reads the runs, writes their merge, has it published. On the caller's thread.
package struct CompactionJob {
  package let plan: CompactionPlan
  let delegate: any CompactionDelegate
  /// See `TableMerge.pace`.
  let pace: (UInt64) throws(StorageError) -> Void
  let options: TableOptions

  package init(
    _ plan: CompactionPlan, delegate: any CompactionDelegate, options: TableOptions = TableOptions(),
    pace: @escaping (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }
  ) {
    self.plan = plan
    self.delegate = delegate
    self.options = options
    self.pace = pace
  }

  /// What a job did.
  package struct Outcome: Sendable, Equatable {
    /// `false`: the runs did not stand any more, nothing was done.
    package var isPublished = false
    package var bytesRead: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var copiedGroupCount = 0
  }

  /// - Throws: `.cancelled` from `pace`; what reading and writing throw. Files that were written are then removed, but after a
  ///   failure to publish: the edit may have reached the disk, so they are left to the next start, which sweeps orphans.
  package func run() throws(StorageError) -> Outcome {
    guard let input = delegate.compactionInput(plan.window, runs: plan.runs) else { return Outcome() }
    return plan.runs.count == 1 ? try clear(input) : try merge(input)
  }

  private func merge(_ input: CompactionInput) throws(StorageError) -> Outcome {
    let result = try write(input.runs, of: input)
    return try publish(
      result.tables, of: input, written: result,
      bytesRead: input.states.reduce(0) { $0 + $1.byteCount })
  }

  /// Takes what is deleted out of one run. Tables of it that hold nothing of that stay; where none does it is only noted.
  private func clear(_ input: CompactionInput) throws(StorageError) -> Outcome {
    guard let state = input.states.first else { return Outcome() }
    var tables: [TableState] = []
    var written = TableMerge.Result()
    var bytesRead: UInt64 = 0
    for (table, run) in zip(state.tables, input.runs) {
      guard let masked = run as? MaskedRun, try masked.hidesAny() else {
        tables.append(table)
        continue
      }
      let result = try write([run], of: input)
      tables += result.tables
      written.tables += result.tables
      written.copiedGroupCount += result.copiedGroupCount
      bytesRead += table.byteCount
    }
    if bytesRead == 0 {
      try delegate.clearRuns(plan.window, runs: plan.runs, through: input.keyspace.lastTombstone)
      return Outcome(isPublished: true)
    }
    return try publish(tables, of: input, written: written, bytesRead: bytesRead)
  }

  private func write(_ runs: [any SortedRun], of input: CompactionInput) throws(StorageError) -> TableMerge.Result {
    guard let first = input.states.first, let last = input.states.last else { return TableMerge.Result() }
    let identity = TableIdentity(
      number: 0, keyspace: plan.window.keyspace, database: input.keyspace.database,
      policy: input.keyspace.policy,
      window: input.window, sequenceRange: first.firstSequence...last.lastSequence,
      horizon: input.keyspace.horizon)
    var merge = TableMerge(
      runs: runs, identity: identity, floor: input.floor, fileSystem: delegate.fileSystem,
      takeTableNumber: { delegate.takeTableNumber() })
    merge.options = options
    merge.pace = pace
    return try merge.run()
  }

  /// Puts `tables` in the place of the input's runs; those that were written go again if these do not stand any more.
  private func publish(
    _ tables: [TableState], of input: CompactionInput, written: TableMerge.Result, bytesRead: UInt64
  ) throws(StorageError) -> Outcome {
    guard let first = input.states.first, let last = input.states.last else { return Outcome() }
    // The time of the last flush, not of the merge: the quiet of a window is counted from it.
    let added = RunState(
      firstSequence: first.firstSequence, lastSequence: last.lastSequence, isFinal: plan.isFinal,
      publishedAt: input.states.map(\.publishedAt).max() ?? first.publishedAt,
      clearedThrough: input.keyspace.lastTombstone, tables: tables)
    guard try delegate.replaceRuns(plan.window, removed: plan.runs, added: tables.isEmpty ? nil : added) else {
      removeTables(written.tables)
      return Outcome()
    }
    return Outcome(
      isPublished: true, bytesRead: bytesRead, bytesWritten: written.byteCount,
      copiedGroupCount: written.copiedGroupCount)
  }

  private func removeTables(_ tables: [TableState]) {
    for table in tables {
      do throws(StorageError) {
        try delegate.fileSystem.remove(
          tableFileName(keyspace: plan.window.keyspace, windowStart: plan.window.start, number: table.number))
      } catch {
        // An orphan: the next start sweeps it.
        continue
      }
    }
  }
}
