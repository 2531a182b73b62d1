/// The masks of one run, kept from query to query and grown a tombstone at a time: a thousand deletes that wait to be carried out
/// are each looked up in a run once.
package final class MaskCache: Sendable {
  /// Measurements kept; the rest are worked out when they are asked for.
  private static let countMax = 64

  private struct Entry {
    var masks: MeasurementMasks
    /// The tombstone that was taken in last.
    var through: UInt64
    /// Whether anything of the measurement is left to see, once it was asked.
    var showsAny: Bool?
  }
  private let entries = Lock<[[UInt8]: Entry]>([:])

  package init() {}

  /// - Parameter tombstones: those that a version holds above the run, ascending; later versions hold these, or fewer of the
  ///   lowest, and more above.
  func masks(
    of measurement: [UInt8], in run: any SortedRun, by tombstones: [Tombstone]
  ) throws(StorageError) -> MeasurementMasks {
    let last = tombstones.last?.sequence ?? 0
    let known = entries.withLock { $0[measurement] }
    if let known, known.through == last { return known.masks }
    // A reader of an older version does without: what is kept hides more than it may.
    let base = known.flatMap { $0.through < last ? $0 : nil }
    var masks = base?.masks ?? MeasurementMasks(measurement)
    for tombstone in tombstones where tombstone.sequence > base?.through ?? 0 {
      if tombstone.deletion.concerns(measurement) { try masks.insert(tombstone.deletion, in: run) }
    }
    let made = Entry(masks: masks, through: last)
    entries.withLock { entries in
      guard entries[measurement]?.through ?? 0 < last else { return }
      if entries.count >= Self.countMax, entries[measurement] == nil { entries.removeAll() }
      entries[measurement] = made
    }
    return masks
  }

  /// Whether a run shows anything of a measurement through its masks; `look` finds out, which costs a look at every series, once for
  /// each tombstone that comes.
  func showsAny(
    of measurement: [UInt8], by tombstones: [Tombstone], look: () throws(StorageError) -> Bool
  ) throws(StorageError) -> Bool {
    let last = tombstones.last?.sequence ?? 0
    if let known = entries.withLock({ $0[measurement] }), known.through == last, let shows = known.showsAny { return shows }
    let shows = try look()
    entries.withLock { entries in
      if entries[measurement]?.through == last { entries[measurement]?.showsAny = shows }
    }
    return shows
  }
}
