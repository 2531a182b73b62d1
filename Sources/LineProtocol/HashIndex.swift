/// An index from hashes to numbers that were given in order; who looks up compares the things numbered. Nothing is removed singly.
struct HashIndex {
  private var table = TaggedTable<UInt32>()
  /// By number: what growing needs.
  private var hashes: [UInt32] = []
  private let keyed: KeyedHash

  init(key: UInt64) { keyed = KeyedHash(key: key) }

  /// The hash of `bytes`.
  @inline(__always) func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: unsafe keyed.hash(bytes))
  }

  /// The number of a hash for which `isIt` holds.
  @inline(__always) func find(_ hash: UInt32, where isIt: (UInt32) -> Bool) -> UInt32? {
    table.find(hash, where: isIt).map { table[$0] }
  }

  /// Adds `number`: numbers come in order, from 0.
  mutating func insert(_ number: UInt32, hash: UInt32) {
    hashes.append(hash)
    table.insert(number, hash: hash) { [hashes] in hashes[Int($0)] }
  }

  /// Bytes of memory taken.
  var memoryByteCount: Int { table.byteCount + hashes.count * 4 }

  /// Forgets all.
  mutating func removeAll() {
    table = TaggedTable()
    hashes = []
  }
}
