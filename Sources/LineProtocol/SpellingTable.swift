internal import CShims

/// Spellings by number: bytes with the space that ends them lie in one buffer, each entry says where. Once there are many, those that are
/// like an earlier one are kept as a delta to it.
@safe struct SpellingTable: ~Copyable {
  var entries = Buffer<SpellingEntry>(capacity: 256)
  var bytes = Buffer<UInt8>(capacity: 1 << 14)
  private var index: HashIndex
  /// By what spellings have in common: the last one that was kept whole, to which the next are told.
  private var bases: [UInt32: UInt32] = [:]

  /// Bytes of spellings up to which all are kept whole: that many stay in the processor's cache, and comparing with a delta costs some
  /// steps more.
  private static let wholeByteCountMax = 1 << 20
  /// Bases known at a time.
  private static let baseCountMax = 1_024

  init(hashKey: UInt64) { index = HashIndex(key: hashKey) }

  /// Bytes of memory in use; what lies behind in the buffers was never touched.
  var memoryByteCount: Int {
    entries.count * MemoryLayout<SpellingEntry>.stride + bytes.count + index.memoryByteCount
  }

  /// Forgets all; gives memory back too, which grew to a bound.
  mutating func forget() {
    entries = Buffer(capacity: 256)
    bytes = Buffer(capacity: 1 << 14)
    index.removeAll()
    bases = [:]
  }

  // MARK: Finding

  @inline(__always) func hash(_ spelling: UnsafeBufferPointer<UInt8>) -> UInt32 { unsafe index.hash(spelling) }

  /// The number of a spelling (given with the space that ends it), if it has one.
  @inline(__always) func find(_ spelling: UnsafeBufferPointer<UInt8>, hash: UInt32) -> UInt32? {
    guard let start = spelling.baseAddress else { return nil }
    return index.find(hash) { number in
      let entry = entries[Int(number)]
      return unsafe Int(entry.count) == spelling.count
        && entry.isPrefix(of: start, start + spelling.count, UnsafePointer(bytes.base))
    }
  }

  /// Calls `body` with the bytes of a spelling and the space that ends it.
  func withSpelling(_ number: UInt32, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    let entry = entries[Int(number)]
    // The entry's bytes were appended to `bytes` when it was made.
    let place = unsafe UnsafePointer(bytes.base + entry.place)
    if !entry.isDelta { return unsafe body(UnsafeBufferPointer(start: place, count: Int(entry.count))) }
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(entry.count)) { text in
      let base = unsafe bytes.base + Int(SpellingEntry.base(ofDelta: place))
      unsafe TextDelta.write(text, base: base, delta: place + SpellingEntry.baseByteCount)
      unsafe body(UnsafeBufferPointer(text))
    }
  }

  // MARK: Adding

  /// Gives a spelling that has none a number.
  mutating func add(_ spelling: UnsafeBufferPointer<UInt8>, hash: UInt32) -> UInt32 {
    let number = UInt32(entries.count)
    let offset = unsafe keep(spelling, number)
    entries.append(
      SpellingEntry(
        offset: offset, count: UInt32(spelling.count), next: SpellingEntry.none, fieldList: SpellingEntry.none))
    index.insert(number, hash: hash)
    return number
  }

  /// Takes in the bytes of a spelling that is to have a number, and says where they are: an entry's `offset`.
  private mutating func keep(_ spelling: UnsafeBufferPointer<UInt8>, _ number: UInt32) -> UInt32 {
    if bytes.count >= Self.wholeByteCountMax {
      let kind = unsafe kind(of: spelling)
      if let base = bases[kind], let offset = unsafe keep(spelling, asDeltaTo: base) { return offset }
      if bases.count >= Self.baseCountMax { bases.removeAll(keepingCapacity: true) }
      bases[kind] = number
    }
    unsafe bytes.append(contentsOf: spelling)
    // Comparisons read 16 bytes, however short a spelling is.
    bytes.reserve(16)
    return UInt32(bytes.count - spelling.count)
  }

  private mutating func keep(_ spelling: UnsafeBufferPointer<UInt8>, asDeltaTo number: UInt32) -> UInt32? {
    let (base, start) = (entries[Int(number)], bytes.count)
    // Room for all of it beforehand, so that the base's bytes stay where they are, and for 16 bytes that comparisons read.
    bytes.reserve(SpellingEntry.baseByteCount + spelling.count + 16)
    let place = unsafe bytes.base + start
    unsafe UnsafeMutableRawPointer(place).storeBytes(of: base.offset.littleEndian, as: UInt32.self)
    let text = unsafe UnsafeBufferPointer(start: bytes.base + base.place, count: Int(base.count))
    guard let count = unsafe TextDelta.make(spelling, base: text, in: place + SpellingEntry.baseByteCount) else { return nil }
    bytes.setCount(start + SpellingEntry.baseByteCount + count)
    return UInt32(start) | SpellingEntry.deltaFlag
  }

  /// Equal where spellings are likely to be alike: of one measurement, with as many tags.
  private func kind(of spelling: UnsafeBufferPointer<UInt8>) -> UInt32 {
    guard let start = spelling.baseAddress else { return 0 }
    let end = unsafe start + spelling.count
    let tagCount = unsafe UInt32(truncatingIfNeeded: CShims_countByte(start, end, Escaping.comma))
    let measurement = unsafe CShims_findByte(start, end, Escaping.comma) - start
    return unsafe index.hash(UnsafeBufferPointer(rebasing: spelling[..<measurement])) &+ tagCount
  }
}
