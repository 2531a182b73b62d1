import Synchronization

/// What live series and receivers' vocabularies take over all of a store, and the bound of it.
///
/// Counted where a series comes or goes, and once a batch for a vocabulary, without a lock.
package final class SeriesMemory: Sendable {
  /// What a live series takes beside its chunks, the vocabularies, and its key with what lies before it: at most 13 in the table, 13 for
  /// a tag value of its own in the census, and 7 in the map of a part.
  package static let entryByteCount = 32

  package let byteCountMax: Int
  private let count = Atomic<Int>(0)
  private let bytes = Atomic<Int>(0)
  private let vocabularies = Atomic<Int>(0)
  /// Bytes of the series that were live when parts were last sealed for their sake, or fewer since.
  private let bytesAtRelease = Atomic<Int>(0)

  package init(byteCountMax: Int = .max) { self.byteCountMax = byteCountMax }

  /// Series that are live where a limit on them is set.
  package var seriesCount: Int { count.load(ordering: .relaxed) }
  /// Bytes of live series that there is room for: three quarters of the share, what vocabularies take can be forgotten.
  var seriesByteCountMax: Int { byteCountMax / 4 * 3 }
  /// Bytes of all.
  package var byteCount: Int { bytes.load(ordering: .relaxed) + vocabularies.load(ordering: .relaxed) }
  /// Whether a further series may become live.
  var hasRoom: Bool { bytes.load(ordering: .relaxed) < seriesByteCountMax }

  /// A series became live.
  ///
  /// - Parameter byteCount: what its key takes, with what lies before it.
  package func add(_ byteCount: Int) {
    count.add(1, ordering: .relaxed)
    bytes.add(byteCount + Self.entryByteCount, ordering: .relaxed)
  }

  package func remove(_ byteCount: Int) {
    count.subtract(1, ordering: .relaxed)
    bytes.subtract(byteCount + Self.entryByteCount, ordering: .relaxed)
  }

  // MARK: Vocabularies

  /// A vocabulary has grown or shrunk; answers whether it should be forgotten, since all together are beyond the bound and this one
  /// is no small part of it.
  package func addVocabulary(_ change: Int, total: Int) -> Bool {
    let sum = change == 0 ? vocabularies.load(ordering: .relaxed) : vocabularies.add(change, ordering: .relaxed).newValue
    return bytes.load(ordering: .relaxed) + sum > byteCountMax && total > byteCountMax / 8
  }

  // MARK: Letting go

  /// Whether so many series became live that parts are to be sealed, so that unused ones are let go.
  package var isToBeReleased: Bool {
    let most = seriesByteCountMax
    let now = bytes.load(ordering: .relaxed)
    return now > most / 4 * 3 && now > bytesAtRelease.load(ordering: .relaxed) + most / 16
  }

  /// The same, once: until as many have come again.
  package func takeRelease() -> Bool {
    let isDue = isToBeReleased
    let now = bytes.load(ordering: .relaxed)
    if isDue || now < bytesAtRelease.load(ordering: .relaxed) { bytesAtRelease.store(now, ordering: .relaxed) }
    return isDue
  }
}
