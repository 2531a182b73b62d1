import Synchronization

/// What live series and receivers' vocabularies take over all of a store, and the bound of it.
///
/// Counted where a series comes or goes, and once a batch for a vocabulary, without a lock.
package final class SeriesMemory: Sendable {
  /// What a live series takes beside the part's chunk and the vocabularies: key and object 96 bytes, its place in the table 17, the
  /// census of its tag values 25 (`varve bench series`).
  package static let seriesByteCount = 138

  package let byteCountMax: Int
  private let count = Atomic<Int>(0)
  private let vocabularies = Atomic<Int>(0)
  /// Series that were live when parts were last sealed for their sake, or fewer since.
  private let countAtRelease = Atomic<Int>(0)

  package init(byteCountMax: Int = .max) { self.byteCountMax = byteCountMax }

  /// Series that are live where a limit on them is set.
  package var seriesCount: Int { count.load(ordering: .relaxed) }
  /// Live series that there is room for: three quarters of the share, what vocabularies take can be forgotten.
  package var seriesCountMax: Int { byteCountMax / 4 * 3 / Self.seriesByteCount }
  /// Bytes of all.
  package var byteCount: Int { seriesCount * Self.seriesByteCount + vocabularies.load(ordering: .relaxed) }
  /// Whether a further series may become live.
  var hasRoom: Bool { seriesCount < seriesCountMax }

  package func addSeries(_ change: Int) { count.add(change, ordering: .relaxed) }

  // MARK: Vocabularies

  /// A vocabulary has grown or shrunk; answers whether it should be forgotten, since all together are beyond the bound and this one
  /// is no small part of it.
  package func addVocabulary(_ change: Int, total: Int) -> Bool {
    let sum = change == 0 ? vocabularies.load(ordering: .relaxed) : vocabularies.add(change, ordering: .relaxed).newValue
    return seriesCount * Self.seriesByteCount + sum > byteCountMax && total > byteCountMax / 8
  }

  // MARK: Letting go

  /// Whether so many series became live that parts are to be sealed, so that unused ones are let go.
  package var isToBeReleased: Bool {
    let most = seriesCountMax
    let now = seriesCount
    return now > most / 4 * 3 && now > countAtRelease.load(ordering: .relaxed) + most / 16
  }

  /// The same, once: until as many have come again.
  package func takeRelease() -> Bool {
    let isDue = isToBeReleased
    let now = seriesCount
    if isDue || now < countAtRelease.load(ordering: .relaxed) { countAtRelease.store(now, ordering: .relaxed) }
    return isDue
  }
}
