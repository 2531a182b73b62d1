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
  private let vocabularyCount = Atomic<Int>(0)
  private let refusals = Atomic<UInt64>(0)
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

  /// A series was refused, for want of memory or by a limit.
  func countRefusal() { refusals.add(1, ordering: .relaxed) }
  /// Series refused, some of them more than once.
  package var refusalCount: UInt64 { refusals.load(ordering: .relaxed) }

  // MARK: Vocabularies

  /// What the owner of a vocabulary is to do with it.
  package enum VocabularyVerdict: Sendable {
    case keep
    /// Forget it, if that is not too often.
    case forget
    /// Forget it in any case.
    case forgetNow
  }

  package func vocabularyOpened() { vocabularyCount.add(1, ordering: .relaxed) }

  /// - Parameter byteCount: what it was last said to take.
  package func vocabularyClosed(_ byteCount: Int) {
    vocabularyCount.subtract(1, ordering: .relaxed)
    vocabularies.subtract(byteCount, ordering: .relaxed)
  }

  /// A vocabulary has grown or shrunk to `total`. Beyond seven eighths of the share it should be forgotten, beyond the share it must be; an
  /// eighth they have in any case, each as much of it as any other.
  package func vocabularyChanged(by change: Int, total: Int) -> VocabularyVerdict {
    let sum = change == 0 ? vocabularies.load(ordering: .relaxed) : vocabularies.add(change, ordering: .relaxed).newValue
    let byteCount = bytes.load(ordering: .relaxed) + sum
    let soft = byteCountMax / 8 * 7
    guard byteCount > soft, total > byteCountMax / 8 / max(1, vocabularyCount.load(ordering: .relaxed)) else { return .keep }
    return byteCount > byteCountMax ? .forgetNow : .forget
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

/// When to let go of series between two seals: some are refused, and parts that held others are gone. What was kept by a long query would
/// otherwise stay until a seal, which without new rows does not come.
package struct SeriesRelease {
  private var refusalCount: UInt64 = 0
  private var giveCount: UInt64 = 0
  /// Receivers let go of their series with the next batch after the first time; the table of series after them.
  private static let timesMax = 2
  private var timesLeft = 0

  package init() {}

  /// - Parameter giveCount: that of the parts' pool.
  package mutating func isDue(refusalCount: UInt64, giveCount: UInt64) -> Bool {
    if giveCount != self.giveCount { (self.giveCount, timesLeft) = (giveCount, Self.timesMax) }
    guard timesLeft > 0, refusalCount != self.refusalCount else { return false }
    self.refusalCount = refusalCount
    timesLeft -= 1
    return true
  }
}
