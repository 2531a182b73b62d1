import Storage

/// Foretells which statements are answered in so little time that the daemon's thread may do it: those whose like was, the last time.
///
/// Alike are texts that differ in digits alone, as those that a dashboard asks again for later times. A statement that turned out to be
/// longer is given to a worker so many times, twice as many after each failure, before it is tried again.
package final class ShortStatements: Sendable {
  /// The processor's time that an answer may have taken the last time.
  package static let nanosecondsMax: Int64 = 500_000
  /// And that one may take on a daemon's thread: then a worker begins anew.
  static let nanosecondsLimit: Int64 = 1_000_000
  /// Texts that are longer are not looked at.
  package static let byteCountMax = 4_096
  /// Statements that are remembered; others take their places.
  private static let placeCount = 512
  private static let waitMax: UInt8 = 127

  private struct Entry {
    var hash: UInt64 = 0
    var isShort = false
    /// Answers by a worker that are to come before the next try, and how many there were the last time.
    var wait: UInt8 = 0
    var lastWait: UInt8 = 0
  }
  private let entries = Lock(Array(repeating: Entry(), count: placeCount))

  package init() {}

  /// A statement's like, as a number.
  package struct Likeness: Equatable, Sendable {
    fileprivate let hash: UInt64

    /// `nil`: the texts are too long.
    package init?(_ texts: String...) {
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      var byteCount = 0
      for text in texts {
        byteCount += text.utf8.count
        guard byteCount <= ShortStatements.byteCountMax else { return nil }
        for byte in text.utf8 where !(0x30...0x39).contains(byte) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash = (hash ^ 0xff) &* 0x100_0000_01b3
      }
      self.hash = hash
    }

    fileprivate var place: Int { Int(truncatingIfNeeded: hash >> 32) & (ShortStatements.placeCount - 1) }
  }

  /// Whether a statement is worth trying.
  package func isShort(_ likeness: Likeness) -> Bool {
    entries.withLock { entries in
      let entry = entries[likeness.place]
      return entry.hash == likeness.hash && entry.isShort && entry.wait == 0
    }
  }

  /// A worker answered in so much of the processor's time.
  package func note(_ likeness: Likeness, nanoseconds: Int64) {
    entries.withLock { entries in
      let place = likeness.place
      if entries[place].hash != likeness.hash { entries[place] = Entry(hash: likeness.hash) }
      entries[place].isShort = nanoseconds <= Self.nanosecondsMax
      if entries[place].wait > 0 { entries[place].wait -= 1 }
    }
  }

  /// A try came to nothing.
  package func noteFailure(_ likeness: Likeness) {
    entries.withLock { entries in
      let place = likeness.place
      guard entries[place].hash == likeness.hash else { return }
      entries[place].lastWait = min(entries[place].lastWait * 2 + 1, Self.waitMax)
      entries[place].wait = entries[place].lastWait
    }
  }
}
