/// An index from hashes to numbers that were given in order; who looks up compares the things numbered. Nothing is removed singly.
struct HashIndex: ~Copyable {
  private var table = TaggedTable<UInt32>()
  /// By number: what growing needs.
  private var hashes = Buffer<UInt32>()
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
    precondition(Int(number) == hashes.count, "number \(number) after \(hashes.count) others")
    hashes.append(hash)
    // Numbers in the table are below `hashes.count`, and nobody changes `hashes` meanwhile.
    let known = unsafe hashes.base
    table.insertNext(hash: hash) { unsafe known[Int($0)] }
  }

  /// Bytes of memory taken.
  var memoryByteCount: Int { table.byteCount + hashes.count * 4 }

  /// Forgets all.
  mutating func removeAll() {
    table = TaggedTable()
    hashes = Buffer()
  }
}
