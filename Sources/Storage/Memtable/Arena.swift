import Synchronization

/// Bump allocation for one part: pieces are never given back one by one, all go with the arena.
///
/// Safe from several threads: a piece costs one atomic addition, a new block one lock. Blocks begin at 16 KiB
/// and double to 1 MiB, so that a part with one row is small and a large one asks rarely.
@safe final class Arena: Sendable {
  /// Lies at the start of each block.
  @safe private struct Block: ~Copyable {
    let used: Atomic<Int>
    let byteCount: Int
    let previous: UnsafeMutablePointer<Block>?
  }

  private let pool: ArenaPool
  /// The address of the block in use; 0 before there is one.
  private let current = Atomic<UInt>(0)
  private let growth = Lock(ArenaPool.blockByteCountMin)
  private let total = Atomic<Int>(0)

  init(pool: ArenaPool) { self.pool = pool }

  deinit {
    var next = unsafe Self.block(at: current.load(ordering: .acquiring))
    while let block = unsafe next {
      unsafe next = block.pointee.previous
      let byteCount = unsafe block.pointee.byteCount
      pool.give(UInt(bitPattern: block), byteCount: byteCount)
    }
  }

  /// Bytes of all blocks held, used or not.
  var byteCount: Int { total.load(ordering: .relaxed) }

  /// Uninitialised memory for `byteCount` bytes at a multiple of 8; lives as long as the arena.
  func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let needed = (byteCount + 7) & ~7
    while true {
      let seen = current.load(ordering: .acquiring)
      if let piece = unsafe Self.take(needed, fromBlockAt: seen) ?? grow(for: needed, seen: seen) {
        return unsafe piece
      }
    }
  }

  private static func block(at address: UInt) -> UnsafeMutablePointer<Block>? {
    unsafe UnsafeMutablePointer(bitPattern: address)
  }

  private static func take(_ byteCount: Int, fromBlockAt address: UInt) -> UnsafeMutableRawPointer? {
    guard let block = unsafe block(at: address) else { return nil }
    // `used` may run past the end when several miss at once: by a few pieces, far from overflow.
    let end = unsafe block.pointee.used.add(byteCount, ordering: .relaxed).newValue
    guard unsafe end <= block.pointee.byteCount else { return nil }
    return unsafe UnsafeMutableRawPointer(block) + (end - byteCount)
  }

  /// Puts a new block in front, and takes the piece from it; `nil` if another thread was faster and it may
  /// fit there.
  private func grow(for needed: Int, seen: UInt) -> UnsafeMutableRawPointer? {
    let address: UInt = growth.withLock { next in
      guard current.load(ordering: .acquiring) == seen else { return 0 }
      let header = MemoryLayout<Block>.stride
      let taken = pool.take(max(next, needed + header))
      next = min(next * 2, ArenaPool.blockByteCountMax)
      total.add(taken.byteCount, ordering: .relaxed)
      guard let block = unsafe Self.block(at: taken.address) else { return 0 }
      unsafe block.initialize(
        to: Block(used: Atomic(header + needed), byteCount: taken.byteCount, previous: Self.block(at: seen)))
      current.store(taken.address, ordering: .releasing)
      return taken.address + UInt(header)
    }
    return unsafe UnsafeMutableRawPointer(bitPattern: address)
  }
}
