import CShims
import Glibc
import LineProtocol

/// A series of one keyspace that an unflushed part or an inserter knows: a piece of memory a series, so that comparing series in the
/// write path is comparing addresses, and their keys lie in memory once.
///
/// Counted by hand, since of a million series each byte counts: who keeps one has called `retain`, or was given it with a
/// retain done, and calls `release` once.
@safe struct LiveSeries: @unchecked Sendable {
  // Unchecked: count and bytes of the key never change after `make`; the rest are atomics.
  private let head: UnsafeMutablePointer<Head>

  /// The key's bytes lie behind it.
  private struct Head {
    /// Read and written by atomics only, as is the rank.
    var holderCount: UInt32
    var rank: UInt32
    var byteCount: UInt32
  }
  private static let headByteCount = 12

  /// A series with one holder, the caller.
  static func make(_ key: SeriesKey) -> LiveSeries {
    let count = key.bytes.count
    guard let memory = unsafe malloc(headByteCount + count) else {
      preconditionFailure("no memory for a key of \(count) bytes")
    }
    let head = unsafe memory.bindMemory(to: Head.self, capacity: 1)
    unsafe head.initialize(to: Head(holderCount: 1, rank: 0, byteCount: UInt32(count)))
    unsafe key.bytes.withUnsafeBytes { source in
      unsafe UnsafeMutableRawBufferPointer(start: memory + headByteCount, count: count).copyMemory(from: source)
    }
    return unsafe LiveSeries(head: head)
  }

  private init(head: UnsafeMutablePointer<Head>) { unsafe self.head = head }

  /// The series of an address that somebody holds.
  init?(address: UInt) {
    guard let head = unsafe UnsafeMutablePointer<Head>(bitPattern: address) else { return nil }
    unsafe self.head = head
  }

  /// Where it lies; never 0, no other series' as long as it is held.
  var address: UInt { UInt(bitPattern: unsafe head) }

  // MARK: Holders

  /// Counts a holder more; by a holder, or under the lock of the table that holds it.
  func retain() { _ = unsafe CShims_addRelaxed(holders, 1) }

  /// Counts a holder less; the memory goes with the last one.
  func release() {
    if unsafe CShims_subtractAcquiringReleasing(holders, 1) == 0 { unsafe free(head) }
  }

  /// Whether the caller is the only holder.
  var hasOneHolder: Bool { unsafe CShims_loadAcquiring(holders) == 1 }

  private var holders: UnsafeMutablePointer<UInt32> { unsafe pointer(at: 0) }

  /// A number of the head.
  private func pointer(at offset: Int) -> UnsafeMutablePointer<UInt32> {
    unsafe (UnsafeMutableRawPointer(head) + offset).assumingMemoryBound(to: UInt32.self)
  }

  // MARK: What it is

  /// The flat form of its key (`SeriesKey.bytes`); lies where it is as long as somebody holds the series.
  var bytes: UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(
      start: (UnsafeRawPointer(head) + Self.headByteCount).assumingMemoryBound(to: UInt8.self),
      count: Int(head.pointee.byteCount))
  }

  /// Bytes of memory taken.
  var byteCount: Int { unsafe Self.byteCount(ofKey: Int(head.pointee.byteCount)) }

  /// Bytes of memory that a series takes, with what the allocator adds to each piece.
  static func byteCount(ofKey count: Int) -> Int { (headByteCount + count + 8 + 15) & ~15 }

  /// Its key; allocates.
  var key: SeriesKey { SeriesKey(wellFormed: unsafe Array(bytes)) }

  /// The place in canonical order when a part's series were last sorted: a hint that makes the next sort
  /// nearly free.
  var rank: UInt32 {
    get { unsafe CShims_loadRelaxed(pointer(at: 4)) }
    nonmutating set { unsafe CShims_storeRelaxed(pointer(at: 4), newValue) }
  }
}
