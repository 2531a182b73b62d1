#if canImport(Glibc)
  import Glibc
#endif

/// Memory for arenas, in blocks of 16 KiB, 32 KiB … 1 MiB that are used again: touching fresh memory for the
/// first time costs as much as inserting the rows that go there.
///
/// Shared by all parts of a store; safe from several threads. Blocks that are given back stay here, touched,
/// until `trim` finds that none was asked for in five minutes; so the memory held never passes its own
/// high-water mark, nor, by blocks that wait, the pool's bound.
package final class ArenaPool: Sendable {
  /// The smallest block: what a part with one row costs.
  package static let blockByteCountMin = 1 << 14
  /// The largest block that is kept for others; an allocation that needs more gets a block of its own size.
  package static let blockByteCountMax = 1 << 20
  /// How long no block must have been asked for before idle ones go back to the system, nanoseconds.
  package static let idleNanoseconds: UInt64 = 300 * 1_000_000_000

  private static let classCount = 7
  private static let alignment = 4_096

  private struct State {
    /// Idle blocks, one list a power of two.
    var idle: [[UInt]] = Array(repeating: [], count: ArenaPool.classCount)
    var idleByteCount = 0
    var takenByteCount = 0
    var takeCount: UInt64 = 0
    var giveCount: UInt64 = 0
    var takeCountAtTrim: UInt64 = 0
    var quietSince: UInt64?

    /// Takes out blocks that wait, of other sizes than is asked for, until what is held is within a bound.
    mutating func surplus(beyond byteCountMax: Int) -> [(address: UInt, byteCount: Int)] {
      var blocks: [(address: UInt, byteCount: Int)] = []
      for size in idle.indices.reversed() {
        let byteCount = ArenaPool.blockByteCountMin << size
        while takenByteCount + idleByteCount > byteCountMax, let block = idle[size].popLast() {
          idleByteCount -= byteCount
          blocks.append((block, byteCount))
        }
      }
      return blocks
    }
  }
  private let state = Lock(State())
  /// Blocks in use and blocks that wait, bytes; beyond it none is kept to wait.
  package let byteCountMax: Int

  /// - Parameter byteCountMax: beyond it blocks go back to the system instead of waiting. What is in use is for the pool's users to bound.
  package init(byteCountMax: Int = .max) { self.byteCountMax = byteCountMax }

  deinit {
    state.withLock { state in
      for (size, blocks) in state.idle.enumerated() {
        for block in blocks { Self.release(block, byteCount: Self.blockByteCountMin << size) }
      }
    }
  }

  /// Bytes in use by arenas, and bytes that wait to be used again.
  package var byteCounts: (taken: Int, idle: Int) {
    state.withLock { ($0.takenByteCount, $0.idleByteCount) }
  }

  /// Rises when an arena gives its blocks back.
  package var giveCount: UInt64 { state.withLock { $0.giveCount } }

  /// Touches idle blocks of the largest size ahead of their use until `blockCount` of them wait. For a thread
  /// with time.
  package func prepare(blockCount: Int) {
    while state.withLock({ $0.idle[Self.classCount - 1].count < blockCount }) {
      let block = Self.obtain(Self.blockByteCountMax)
      state.withLock {
        $0.idle[Self.classCount - 1].append(block)
        $0.idleByteCount += Self.blockByteCountMax
      }
    }
  }

  /// Gives idle blocks back to the system if none was asked for since five minutes; to be called every minute
  /// or so.
  ///
  /// - Parameter now: a monotonic clock, nanoseconds.
  package func trim(now: UInt64) {
    let blocks: [[UInt]] = state.withLock { state in
      guard state.takeCount == state.takeCountAtTrim, let since = state.quietSince else {
        state.takeCountAtTrim = state.takeCount
        state.quietSince = now
        return []
      }
      guard now >= since, now - since >= Self.idleNanoseconds else { return [] }
      defer {
        state.idle = Array(repeating: [], count: Self.classCount)
        state.idleByteCount = 0
      }
      return state.idle
    }
    for (size, blocks) in blocks.enumerated() {
      for block in blocks { Self.release(block, byteCount: Self.blockByteCountMin << size) }
    }
  }

  /// A block of at least `byteCount` bytes, as an address, and its size.
  func take(_ byteCount: Int) -> (address: UInt, byteCount: Int) {
    let size = Self.sizeClass(byteCount)
    guard size < Self.classCount else {
      let rounded = (byteCount + Self.alignment - 1) & ~(Self.alignment - 1)
      state.withLock {
        $0.takeCount += 1
        $0.takenByteCount += rounded
      }
      return (Self.obtain(rounded), rounded)
    }
    let blockByteCount = Self.blockByteCountMin << size
    let (found, surplus) = state.withLock { state -> (UInt?, [(address: UInt, byteCount: Int)]) in
      state.takeCount += 1
      state.takenByteCount += blockByteCount
      if let block = state.idle[size].popLast() {
        state.idleByteCount -= blockByteCount
        return (block, [])
      }
      return (nil, state.surplus(beyond: byteCountMax))
    }
    for block in surplus { Self.release(block.address, byteCount: block.byteCount) }
    return (found ?? Self.obtain(blockByteCount), blockByteCount)
  }

  /// Takes a block back.
  func give(_ address: UInt, byteCount: Int) {
    let size = Self.sizeClass(byteCount)
    let isKept = state.withLock { state in
      let isWithin = state.takenByteCount + state.idleByteCount <= byteCountMax
      state.takenByteCount -= byteCount
      state.giveCount += 1
      guard size < Self.classCount, isWithin else { return false }
      state.idle[size].append(address)
      state.idleByteCount += byteCount
      return true
    }
    if !isKept { Self.release(address, byteCount: byteCount) }
  }

  private static func sizeClass(_ byteCount: Int) -> Int {
    var size = 0
    while blockByteCountMin << size < byteCount, size < classCount { size += 1 }
    return size
  }

  // The mapping of a large block is populated by the kernel in one call, at a fraction of the price of 256
  // page faults. No transparent huge pages: measured four times slower in a virtual machine.
  private static func obtain(_ byteCount: Int) -> UInt {
    #if canImport(Glibc)
      if byteCount >= blockByteCountMax,
        let mapped = unsafe mmap(
          nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0),
        unsafe mapped != MAP_FAILED
      {
        return UInt(bitPattern: mapped)
      }
      precondition(
        byteCount < blockByteCountMax, "the system has no memory for a block of \(byteCount) bytes")
    #endif
    return UInt(bitPattern: UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: alignment))
  }

  private static func release(_ address: UInt, byteCount: Int) {
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
    #if canImport(Glibc)
      if byteCount >= blockByteCountMax {
        _ = unsafe munmap(pointer, byteCount)
        return
      }
    #endif
    unsafe pointer.deallocate()
  }
}
