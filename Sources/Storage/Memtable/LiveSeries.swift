import CShims
import Glibc
package import LineProtocol

/// A series of one keyspace that an unflushed part or an inserter knows: a piece of memory a series, so that comparing series in the
/// write path is comparing addresses, and their keys lie in memory once.
///
/// Counted by hand, since of a million series each byte counts: who keeps one has called `retain`, or was given it with a
/// retain done, and calls `release` once.
@safe package struct LiveSeries: @unchecked Sendable {
  // Unchecked: lengths and bytes of the key never change after `make`; the rest are atomics.
  private let head: UnsafeMutablePointer<Head>

  /// The key's bytes lie behind it; where the key is told by another's (`TextDelta`), the address of that one, which is held, and the delta.
  private struct Head {
    /// Read and written by atomics only, as is the rank.
    var holderCount: UInt32
    var rank: UInt32
    /// With `deltaFlag` where a delta follows.
    var length: UInt32
    /// Of the key, the table's: when that grows it needs it, and keys are not put together for it.
    var hash: UInt32
  }
  private static let headByteCount = 16
  private static let baseByteCount = 8
  private static let deltaFlag: UInt32 = 1 << 31

  /// A series with one holder, the caller; its key's bytes are kept as they are.
  ///
  /// - Parameter key: in flat form.
  static func make(_ key: UnsafeBufferPointer<UInt8>, hash: UInt32) -> LiveSeries {
    let memory = unsafe allocate(length: UInt32(key.count), hash: hash, tailByteCount: key.count)
    unsafe UnsafeMutableRawBufferPointer(start: memory + headByteCount, count: key.count)
      .copyMemory(from: UnsafeRawBufferPointer(key))
    return unsafe LiveSeries(head: memory.assumingMemoryBound(to: Head.self))
  }

  /// The same, with the key told by that of `base`, which is kept whole and held from then on; `nil` where that takes more than half of
  /// the key, or the first bytes, so many that the measurement lies in them, are not those of `base`.
  static func make(
    _ key: UnsafeBufferPointer<UInt8>, hash: UInt32, base: LiveSeries, sharedByteCount: Int
  ) -> LiveSeries? {
    precondition(base.isWhole, "a base is kept whole")
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: key.count / 2 + 1) { scratch in
      let (whole, delta) = unsafe (base.tail(base.keyByteCount), scratch.baseAddress.unsafelyUnwrapped)
      guard unsafe KeyOrder.isEqual(UnsafeBufferPointer(rebasing: whole.prefix(sharedByteCount)),
        UnsafeBufferPointer(rebasing: key.prefix(sharedByteCount))),
        let count = unsafe TextDelta.make(key, base: whole, in: delta)
      else { return nil }
      let memory = unsafe allocate(
        length: UInt32(key.count) | deltaFlag, hash: hash, tailByteCount: baseByteCount + count)
      base.retain()
      unsafe (memory + headByteCount).storeBytes(of: base.address, as: UInt.self)
      unsafe (memory + headByteCount + baseByteCount).copyMemory(from: delta, byteCount: count)
      return unsafe LiveSeries(head: memory.assumingMemoryBound(to: Head.self))
    }
  }

  private static func allocate(length: UInt32, hash: UInt32, tailByteCount: Int) -> UnsafeMutableRawPointer {
    guard let memory = unsafe malloc(headByteCount + tailByteCount) else {
      preconditionFailure("no memory for a key of \(length & ~deltaFlag) bytes")
    }
    unsafe memory.bindMemory(to: Head.self, capacity: 1)
      .initialize(to: Head(holderCount: 1, rank: 0, length: length, hash: hash))
    return unsafe memory
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
  package func release() {
    if unsafe CShims_subtractAcquiringReleasing(holders, 1) != 0 { return }
    base?.release()
    unsafe free(head)
  }

  /// Whether the caller is the only holder.
  var hasOneHolder: Bool { unsafe CShims_loadAcquiring(holders) == 1 }

  private var holders: UnsafeMutablePointer<UInt32> { unsafe pointer(at: 0) }

  /// A number of the head.
  private func pointer(at offset: Int) -> UnsafeMutablePointer<UInt32> {
    unsafe (UnsafeMutableRawPointer(head) + offset).assumingMemoryBound(to: UInt32.self)
  }

  // MARK: What it is

  /// Whether its key is not told by that of another.
  var isWhole: Bool { unsafe head.pointee.length < Self.deltaFlag }

  /// The hash that it was made with.
  var hash: UInt32 { unsafe head.pointee.hash }

  /// Bytes of the key's flat form.
  var keyByteCount: Int { unsafe Int(head.pointee.length & ~Self.deltaFlag) }

  /// What lies behind the head.
  private func tail(_ count: Int) -> UnsafeBufferPointer<UInt8> {
    unsafe UnsafeBufferPointer(
      start: (UnsafeRawPointer(head) + Self.headByteCount).assumingMemoryBound(to: UInt8.self), count: count)
  }

  /// The series by whose key this one's is told.
  private var base: LiveSeries? {
    if isWhole { return nil }
    return unsafe LiveSeries(address: UnsafeRawPointer(head).loadUnaligned(fromByteOffset: Self.headByteCount, as: UInt.self))
  }

  /// Calls `body` with the flat form of its key (`SeriesKey.bytes`), which lies where it is until `body` ends.
  ///
  /// Costs a copy of the key where it is told by another's.
  func withBytes<R>(_ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    guard let base else { return unsafe body(tail(keyByteCount)) }
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: keyByteCount) { text in
      unsafe TextDelta.write(text, base: base.start, delta: start + Self.baseByteCount)
      return unsafe body(UnsafeBufferPointer(text))
    }
  }

  /// Appends the flat form of its key.
  func appendKey(to out: inout Buffer<UInt8>) {
    guard let base else { return unsafe out.append(contentsOf: tail(keyByteCount)) }
    out.reserve(keyByteCount)
    unsafe TextDelta.write(
      UnsafeMutableBufferPointer(start: out.base + out.count, count: keyByteCount), base: base.start,
      delta: start + Self.baseByteCount)
    out.setCount(out.count + keyByteCount)
  }

  /// The first bytes of its key: as many at least as the measurement takes.
  var firstBytes: UnsafeBufferPointer<UInt8> {
    let whole = base ?? self
    return unsafe whole.tail(whole.keyByteCount)
  }

  /// Whether `bytes` are the flat form of its key.
  func isEqual(to bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count == keyByteCount else { return false }
    guard let base else { return unsafe memcmp(start, bytes.baseAddress.unsafelyUnwrapped, bytes.count) == 0 }
    return unsafe TextDelta.isEqual(bytes, base: base.start, delta: start + Self.baseByteCount)
  }

  private var start: UnsafePointer<UInt8> { unsafe tail(1).baseAddress.unsafelyUnwrapped }

  /// Bytes of memory taken, with what the allocator adds; without the base, which others share.
  var byteCount: Int { unsafe CShims_block_bytes(head) }

  /// Its key; allocates.
  package var key: SeriesKey { unsafe withBytes { SeriesKey(wellFormed: unsafe Array($0)) } }

  /// The place in canonical order when a part's series were last sorted: a hint that makes the next sort
  /// nearly free.
  var rank: UInt32 {
    get { unsafe CShims_loadRelaxed(pointer(at: 4)) }
    nonmutating set { unsafe CShims_storeRelaxed(pointer(at: 4), newValue) }
  }
}
