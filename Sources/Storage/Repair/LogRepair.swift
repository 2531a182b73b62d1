/// Writes damaged segments of the log anew, with the records that are whole, so that a start reads the log to its end.
struct LogRepair {
  let fileSystem: any FileSystem
  /// Says what of the segments could not be read.
  let disk: PatchingFileSystem
  /// What the manifest says, where it could be read.
  let state: ManifestState?
  private(set) var problems: [StorageError] = []
  private(set) var losses: [RepairReport.Loss] = []
  private(set) var actions: [String] = []
  private(set) var notes: [String] = []
  /// The highest number of a batch that was met, lost ones too, and of a segment.
  private(set) var lastSequence: UInt64 = 0
  private(set) var lastSegment: UInt64 = 0

  /// Segments that were written anew.
  private var replaced: Set<String> = []

  init(fileSystem: any FileSystem, disk: PatchingFileSystem, state: ManifestState?) {
    self.fileSystem = fileSystem
    self.disk = disk
    self.state = state
  }

  /// - Parameter willReplace: called with what is lost so far before a segment takes the place of the damaged one.
  mutating func run(willReplace: ([RepairReport.Loss]) throws(StorageError) -> Void) throws(StorageError) {
    guard try fileSystem.exists(LogFormat.directory) else { return }
    var isChanged = true
    while isChanged {
      isChanged = false
      let (summary, errors) = Verification.readLog(fileSystem)
      lastSequence = max(lastSequence, summary.lastSequence)
      lastSegment = max(lastSegment, summary.lastSegment)
      for error in errors {
        guard error.code == .corrupt else { throw error }
        if !problems.contains(error) { problems.append(error) }
      }
      let unreadable = Set(disk.unreadable.map(\.file)).subtracting(replaced)
      let damaged = Set(errors.map(\.file)).union(unreadable)
      var (previous, previousSequence): (UInt64, UInt64) = (0, 0)
      for (index, info) in summary.segments.enumerated() {
        var last = info.lastSequence
        if damaged.contains(LogFormat.name(info.number)) {
          let later = summary.segments[(index + 1)...]
          last = try salvage(
            info.number,
            SegmentSalvage.Surroundings(
              previous: previous, previousSequence: previousSequence,
              nextSequence: later.first { $0.firstSequence > 0 }?.firstSequence, isLast: later.isEmpty,
              isRead: !unreadable.contains(LogFormat.name(info.number)),
              synced: later.first.flatMap { next throws(StorageError) in try synced(before: next.number) }),
            willReplace)
          isChanged = true
        }
        (previous, previousSequence) = (info.number, max(previousSequence, last))
      }
    }
  }

  /// How far the segment before one was synced when its last sync failed, as its header says; else `nil`.
  private func synced(before number: UInt64) throws(StorageError) -> UInt64? {
    let reader = try SegmentReader(
      file: fileSystem.open(LogFormat.name(number)), number: number, bufferByteCount: 4_096)
    guard case .success(let header) = try reader.header(), header.previousSynced != SegmentHeader.ended else {
      return nil
    }
    return header.previousSynced
  }

  /// Writes one segment anew; returns the highest number of a batch whose rows are left in it or before it.
  private mutating func salvage(
    _ number: UInt64, _ around: SegmentSalvage.Surroundings,
    _ willReplace: ([RepairReport.Loss]) throws(StorageError) -> Void
  ) throws(StorageError) -> UInt64 {
    let name = LogFormat.name(number)
    var salvage = try SegmentSalvage(number, around, fileSystem: fileSystem)
    try salvage.run()
    let kept = try Quarantine(fileSystem: fileSystem).copy(name)
    for gap in salvage.gaps {
      let lost = gap.losses(in: state)
      losses += lost
      if lost.isEmpty {
        notes.append("\(name): \(gap.text); every window was flushed through them, so no point is lost")
      }
    }
    try willReplace(losses)
    var copy = salvage.copy
    try copy.write(to: name, in: fileSystem)
    replaced.insert(name)
    actions.append(
      "\(name): set aside as \(kept); written anew with the \(copy.recordCount) records that are whole")
    lastSequence = max(lastSequence, copy.lastSequence, salvage.lastSeen)
    return copy.lastRows
  }
}
