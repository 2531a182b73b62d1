/// Short values of tags that were looked at a moment ago: series that come one after another share most of theirs, and a look here costs a
/// fraction of one at a set.
///
/// It forgets a value for another one, and never takes one for another. Lies where its user says, for one call.
@unsafe struct RecentTagValues {
  /// A value, whole, and what it is one of.
  private struct Entry: BitwiseCopyable {
    var value = ShortText.none
    var tag: UInt64 = 0
  }
  private static let bits: UInt64 = 8
  private let entries: UnsafeMutableBufferPointer<Entry>

  /// Calls `body` with one that knows nothing yet.
  static func with(_ body: (borrowing RecentTagValues) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: Entry.self, capacity: 1 << bits) { entries in
      unsafe entries.initialize(repeating: Entry())
      unsafe body(RecentTagValues(entries: entries))
    }
  }

  /// Whether the value was taken in before; takes it in, if it is short.
  ///
  /// - Parameter tag: what the value is one of.
  @inline(__always) func take(_ value: UnsafeBufferPointer<UInt8>, of tag: UInt64) -> Bool {
    let short = unsafe ShortText(value)
    guard short.isWhole else { return false }
    // Who makes values collide here makes them cost what they would without it.
    let place = unsafe Int(truncatingIfNeeded: (short.spread &+ tag &* 0xc2b2_ae3d_27d4_eb4f) &>> (64 - Self.bits))
    let known = unsafe entries[place]
    if known.value == short, known.tag == tag { return true }
    unsafe entries[place] = Entry(value: short, tag: tag)
    return false
  }
}
