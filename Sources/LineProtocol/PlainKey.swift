internal import CShims

/// A spelling without a backslash, taken apart, and its series' key: one pass finds the names, a second one lays them where they belong.
///
/// One is used for one spelling after another: where the tag keys are those of the one before, in the same order, they are not sorted.
@safe struct PlainKey: ~Copyable {
  /// Where one tag lies in the spelling.
  // Not private: Swift 6.3 loses a private type that another file's class holds in a value that is not copied.
  struct Tag: BitwiseCopyable {
    var key: UInt32
    var keyCount: UInt32
    var value: UInt32
    var valueCount: UInt32
  }

  private var measurementByteCount = 0
  private var tags = Buffer<Tag>(capacity: 16)
  /// Places in `tags`, in the order of keys.
  private var order: [UInt32] = []
  /// The keys of which that is the order, as sent: each with its `=`, one after another.
  private var orderedKeys = Buffer<UInt8>(capacity: 128)

  /// Takes a spelling apart that has no backslash and no space, by the rules of `LineKey`; `false` where it breaks one. Whether it is UTF-8
  /// is not asked.
  mutating func scan(_ spelling: UnsafeBufferPointer<UInt8>) -> Bool {
    tags.reset()
    guard let start = spelling.baseAddress, unsafe spelling.count > 0 && start.pointee != Escaping.comma else { return false }
    // No pointer below passes `end`, and none that is read is `end`.
    let end = unsafe start + spelling.count
    var position = unsafe CShims_findByte(start, end, Escaping.comma)
    measurementByteCount = unsafe position - start
    while unsafe position < end {
      let key = unsafe position + 1
      let equals = unsafe CShims_findAny(key, end, Escaping.equals, Escaping.comma, Escaping.comma)
      guard unsafe equals < end && equals.pointee == Escaping.equals && equals > key else { return false }
      let value = unsafe equals + 1
      guard unsafe value < end && value.pointee != Escaping.comma else { return false }
      // An equals sign may be a value's first byte.
      unsafe position = CShims_findAny(value + 1, end, Escaping.comma, Escaping.equals, Escaping.equals)
      guard unsafe position == end || position.pointee == Escaping.comma else { return false }
      unsafe tags.append(
        Tag(
          key: UInt32(key - start), keyCount: UInt32(equals - key), value: UInt32(value - start),
          valueCount: UInt32(position - value)))
    }
    return unsafe hasOrderedKeys(start) || sort(start)
  }

  /// Appends the key of the spelling that was scanned last.
  func appendKey(of spelling: UnsafeBufferPointer<UInt8>, to out: inout Buffer<UInt8>) {
    guard let start = spelling.baseAddress else { return }
    // Each name is a part of the spelling, and its length takes five bytes at most.
    out.reserve(spelling.count + 5 * (2 * tags.count + 2))
    var position = unsafe out.base + out.count
    unsafe Self.put(start, measurementByteCount, to: &position)
    unsafe Self.putVarint(tags.count, to: &position)
    for place in order {
      let tag = tags[Int(place)]
      unsafe Self.put(start + Int(tag.key), Int(tag.keyCount), to: &position)
      unsafe Self.put(start + Int(tag.value), Int(tag.valueCount), to: &position)
    }
    out.setCount(unsafe position - out.base)
  }

  @inline(__always) private static func put(
    _ name: UnsafePointer<UInt8>, _ count: Int, to position: inout UnsafeMutablePointer<UInt8>
  ) {
    unsafe putVarint(count, to: &position)
    unsafe CShims_copyShort(position, name, count)
    unsafe position += count
  }

  @inline(__always) private static func putVarint(_ value: Int, to position: inout UnsafeMutablePointer<UInt8>) {
    var rest = value
    while rest >= 0x80 {
      unsafe position.pointee = UInt8(truncatingIfNeeded: rest) | 0x80
      unsafe position += 1
      rest >>= 7
    }
    unsafe position.pointee = UInt8(truncatingIfNeeded: rest)
    unsafe position += 1
  }

  // MARK: The order of tags

  /// Whether the keys are those that were sorted last, so that their order is known and none is there twice.
  private func hasOrderedKeys(_ start: UnsafePointer<UInt8>) -> Bool {
    if tags.count != order.count { return false }
    var offset = 0
    for place in 0..<tags.count {
      let tag = tags[place]
      // With its `=`, which ends each of those kept: a whole key is compared with a whole one.
      let count = Int(tag.keyCount) + 1
      guard offset + count <= orderedKeys.count,
        unsafe CShims_isEqual(start + Int(tag.key), orderedKeys.base + offset, count) != 0
      else { return false }
      offset += count
    }
    return true
  }

  /// Sorts the tags and keeps their keys; `false` where a key stands twice, is `time`, or tags are too many.
  private mutating func sort(_ start: UnsafePointer<UInt8>) -> Bool {
    order.removeAll(keepingCapacity: true)
    orderedKeys.reset()
    if tags.count > LineLimits.tagCountMax { return false }
    let names = unsafe tags.elements
    var sorted = (0..<UInt32(tags.count)).map { $0 }
    sorted.sort { unsafe Self.compare(start, names[Int($0)], names[Int($1)]) < 0 }
    for (place, next) in zip(sorted, sorted.dropFirst()) where unsafe Self.compare(start, names[Int(place)], names[Int(next)]) == 0 {
      return false
    }
    for place in 0..<tags.count {
      let key = unsafe UnsafeBufferPointer(start: start + Int(tags[place].key), count: Int(tags[place].keyCount))
      if unsafe key.elementsEqual("time".utf8) { return false }
      unsafe orderedKeys.append(contentsOf: key)
      orderedKeys.append(Escaping.equals)
    }
    order = sorted
    return true
  }

  /// Below 0 where the key of one tag comes before that of another, 0 where they are the same.
  private static func compare(_ start: UnsafePointer<UInt8>, _ a: Tag, _ b: Tag) -> Int {
    let count = Int(min(a.keyCount, b.keyCount))
    let (x, y) = unsafe (start + Int(a.key), start + Int(b.key))
    let common = unsafe CShims_commonPrefix(x, y, count)
    return unsafe common < count ? Int(x[common]) - Int(y[common]) : Int(a.keyCount) - Int(b.keyCount)
  }
}
