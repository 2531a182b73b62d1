import CShims

/// Short values of tags that were looked at a moment ago: series that come one after another share most of theirs, and a look here costs a
/// fraction of one at a set.
///
/// It forgets a value for another one, and never takes one for another. Lies where its user says, for one call.
@unsafe struct RecentTagValues {
  /// A value of at most sixteen bytes, whole.
  private struct Entry: BitwiseCopyable {
    var head: UInt64
    var tail: UInt64
    /// The tag, and above it the number of bytes; 0 where there is none.
    var tag: UInt64
  }
  private static let bits = 8
  private let entries: UnsafeMutableBufferPointer<Entry>

  /// Calls `body` with one that knows nothing yet.
  static func with(_ body: (borrowing RecentTagValues) -> Void) {
    unsafe withUnsafeTemporaryAllocation(of: Entry.self, capacity: 1 << bits) { entries in
      unsafe entries.initialize(repeating: Entry(head: 0, tail: 0, tag: 0))
      unsafe body(RecentTagValues(entries: entries))
    }
  }

  /// Whether the value was taken in before; takes it in, if it is short.
  ///
  /// - Parameter tag: below 2⁵⁶; what the value is one of.
  @inline(__always) func take(_ value: UnsafeBufferPointer<UInt8>, of tag: UInt64) -> Bool {
    guard let start = value.baseAddress, value.count <= 16 else { return false }
    let count = value.count
    var (head, tail): (UInt64, UInt64) = (0, 0)
    // Within the value, each byte of it at least once: by its length it is told from all others.
    if count >= 8 {
      (head, tail) = unsafe (CShims_load8(start), CShims_load8(start + count - 8))
    } else if count >= 4 {
      let bytes = unsafe UnsafeRawPointer(start)
      head = UInt64(unsafe bytes.loadUnaligned(as: UInt32.self))
      tail = UInt64(unsafe bytes.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
    } else if count > 0 {
      head = unsafe UInt64(start[0]) | UInt64(start[count / 2]) << 8 | UInt64(start[count - 1]) << 16
    }
    let entry = Entry(head: head, tail: tail, tag: tag << 8 | UInt64(count + 1))
    // Fibonacci hashing: who makes values collide here makes them cost what they would without it.
    let mixed = (head ^ tail &<< 23 ^ tail &>> 41 ^ entry.tag &<< 7) &* 0x9e37_79b9_7f4a_7c15
    let place = unsafe Int(truncatingIfNeeded: mixed &>> UInt64(64 - Self.bits))
    let known = unsafe entries[place]
    if known.head == head, known.tail == tail, known.tag == entry.tag { return true }
    unsafe entries[place] = entry
    return false
  }
}
