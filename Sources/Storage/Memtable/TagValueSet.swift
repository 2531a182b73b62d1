import CShims
import LineProtocol

/// The distinct values of one tag key as they come, flat: a copy of each and some 16 bytes.
@safe struct TagValueSet {
  /// Values that are kept; with more none is.
  let countMax: Int
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  /// Of each: the table asks for them whenever it grows.
  private var hashes: [UInt32] = []
  private var table = TaggedTable<UInt32>()
  private var last = -1
  /// There were more, and none is kept.
  private(set) var isOver = false
  /// What was answered last, while no value has come since.
  private var sorted: TagValueList?

  init(countMax: Int) { self.countMax = countMax }

  /// Bytes of memory taken, about.
  var byteCount: Int {
    bytes.capacity + 8 * ends.capacity + 4 * hashes.capacity + table.byteCount + (sorted?.byteCount ?? 0)
  }

  private func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  mutating func insert(_ value: UnsafeBufferPointer<UInt8>) {
    if isOver { return }
    if last >= 0, unsafe isEqual(last, value) { return }
    let hash = unsafe Self.hash(value)
    if let slot = table.find(hash, where: { unsafe isEqual(Int($0), value) }) {
      last = Int(table[slot])
      return
    }
    guard ends.count < countMax else {
      isOver = true
      (bytes, ends, hashes, table, sorted) = ([], [], [], TaggedTable(), nil)
      return
    }
    unsafe bytes.append(contentsOf: value)
    ends.append(bytes.count)
    last = ends.count - 1
    sorted = nil
    hashes.append(hash)
    let hashes = hashes
    table.insertNext(hash: hash) { hashes[Int($0)] }
  }

  private func isEqual(_ index: Int, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    let range = range(index)
    guard range.count == value.count, !range.isEmpty, let start = value.baseAddress else { return range.count == value.count }
    // The range lies within `bytes`.
    return unsafe bytes.withUnsafeBufferPointer {
      unsafe CShims_isEqual($0.baseAddress.unsafelyUnwrapped + range.lowerBound, start, range.count) != 0
    }
  }

  /// Its key is random: these bytes come from strangers.
  private static let keyed = KeyedHash()

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    UInt32(truncatingIfNeeded: unsafe keyed.hash(bytes))
  }

  mutating func list() -> TagValueList? {
    if isOver { return nil }
    if let sorted { return sorted }
    var list = TagValueList()
    for index in order { list.append(bytes[range(index)]) }
    sorted = list
    return list
  }

  /// The values by bytes. What all begin with tells none apart: the eight bytes behind it mostly do.
  private var order: [Int] {
    guard ends.count > 1 else { return Array(ends.indices) }
    let shared = sharedByteCount
    var heads = ends.indices.map { (head: head(of: $0, behind: shared), index: $0) }
    heads.sort { a, b in
      a.head != b.head ? a.head < b.head : compareBytes(bytes, range(a.index), bytes, range(b.index)) < 0
    }
    return heads.map(\.index)
  }

  /// Bytes that all values begin with.
  private var sharedByteCount: Int {
    let first = range(0)
    return ends.indices.dropFirst().reduce(first.count) { count, index in
      let range = range(index)
      var same = 0
      while same < min(count, range.count), bytes[first.lowerBound + same] == bytes[range.lowerBound + same] { same += 1 }
      return same
    }
  }

  /// Eight bytes of a value as a number of the same order; zeros where it ends.
  private func head(of index: Int, behind shared: Int) -> UInt64 {
    let range = range(index)
    return (0..<8).reduce(0) { head, offset in
      let place = range.lowerBound + shared + offset
      return head << 8 | (place < range.upperBound ? UInt64(bytes[place]) : 0)
    }
  }
}
