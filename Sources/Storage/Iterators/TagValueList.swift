import Glibc

/// Distinct values of one tag key, sorted by bytes, flat.
package struct TagValueList: Sendable, Equatable {
  /// One after another.
  package private(set) var bytes: [UInt8] = []
  private var ends: [Int] = []

  package init() {}

  /// Values in any order, perhaps several times.
  package init(sorting values: some Sequence<[UInt8]>) {
    for value in values.sorted(by: { $0.lexicographicallyPrecedes($1) }) where count == 0 || !value.elementsEqual(last) {
      append(value)
    }
  }

  /// Values in order, each once.
  package init(sorted values: some Sequence<[UInt8]>) {
    for value in values { append(value) }
  }

  /// Bytes of memory taken.
  package var byteCount: Int { bytes.capacity + 8 * ends.capacity }

  /// Values held.
  package var count: Int { ends.count }

  /// Where value `index` lies in `bytes`.
  package func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  private var last: ArraySlice<UInt8> { ends.isEmpty ? [] : bytes[range(ends.count - 1)] }

  /// Whether a value is among them: as many comparisons as their number has bits.
  package func contains(_ value: some Collection<UInt8>) -> Bool {
    let found = value.withContiguousStorageIfAvailable { unsafe contains(UnsafeRawBufferPointer($0)) }
    return unsafe found ?? Array(value).withUnsafeBytes { unsafe contains($0) }
  }

  private func contains(_ value: UnsafeRawBufferPointer) -> Bool {
    // The ranges lie within `bytes`, and no more of either is compared than it has.
    unsafe bytes.withUnsafeBytes { all in
      var (low, high) = (0, ends.count)
      while low < high {
        let middle = (low + high) / 2
        let range = range(middle)
        let shared = min(range.count, value.count)
        var order: Int32 = 0
        if shared > 0, let a = all.baseAddress, let b = value.baseAddress {
          order = unsafe memcmp(a + range.lowerBound, b, shared)
        }
        if order == 0, range.count == value.count { return true }
        if order < 0 || order == 0 && range.count < value.count { low = middle + 1 } else { high = middle }
      }
      return false
    }
  }

  /// Appends a value that comes after those before.
  package mutating func append(_ value: some Collection<UInt8>) {
    bytes.append(contentsOf: value)
    ends.append(bytes.count)
  }

  /// The values of several lists, merged two by two: `log2` of their number passes.
  package static func union(_ lists: [TagValueList]) -> TagValueList {
    var lists = lists
    while lists.count > 1 {
      lists = stride(from: 0, to: lists.count, by: 2).map { place in
        place + 1 < lists.count ? lists[place].union(lists[place + 1]) : lists[place]
      }
    }
    return lists.first ?? TagValueList()
  }

  /// The values of this list and another one.
  package func union(_ other: TagValueList) -> TagValueList {
    if other.count == 0 || bytes == other.bytes && ends == other.ends { return self }
    if count == 0 { return other }
    var out = TagValueList()
    out.bytes.reserveCapacity(max(bytes.count, other.bytes.count))
    var (i, j) = (0, 0)
    while i < count, j < other.count {
      let order = compareBytes(bytes, range(i), other.bytes, other.range(j))
      if order <= 0 { out.append(bytes[range(i)]) } else { out.append(other.bytes[other.range(j)]) }
      if order <= 0 { i += 1 }
      if order >= 0 { j += 1 }
    }
    while i < count {
      out.append(bytes[range(i)])
      i += 1
    }
    while j < other.count {
      out.append(other.bytes[other.range(j)])
      j += 1
    }
    return out
  }
}
