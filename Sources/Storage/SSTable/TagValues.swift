import LineProtocol

/// The values of one tag key as they are asked for: blocks are decoded once each.
struct TagValues {
  /// The values of one block, each as varint length and bytes, so that keys are made by one copy.
  struct Block {
    var bytes: [UInt8] = []
    /// Where each value begins, and where the last ends.
    var starts: [Int] = [0]
    /// How many bytes of each are its length.
    var lengthByteCounts: [UInt8] = []

    /// Bytes of memory that it takes.
    var byteCount: Int { bytes.count + 9 * starts.count }

    func value(_ index: Int) -> ArraySlice<UInt8> {
      bytes[(starts[index] + Int(lengthByteCounts[index]))..<starts[index + 1]]
    }
  }

  let source: BlockSource
  /// Where the tag key is described: a copy of that is ten arrays.
  private let top: MeasurementTop
  private let index: Int
  private(set) var blocks: [Block?]

  var key: MeasurementTop.TagKey { top.tagKeys[index] }

  /// - Parameters:
  ///   - index: of a tag key of `top`.
  ///   - blocks: what `loadAll` gave for the same key; `nil`: each is decoded when it is asked for.
  init(source: BlockSource, top: MeasurementTop, key index: Int, blocks: [Block?]? = nil) {
    self.source = source
    self.top = top
    self.index = index
    self.blocks = blocks ?? Array(repeating: nil, count: top.tagKeys[index].values.count)
  }

  /// The values in order, at least the first `countMax`.
  mutating func list(countMax: Int) throws(StorageError) -> TagValueList {
    var list = TagValueList()
    for index in blocks.indices where list.count < countMax {
      let block = try load(index)
      for value in 0..<block.starts.count - 1 { list.append(block.value(value)) }
    }
    return list
  }

  /// The values of codes (a value's place and 1) in order, at least the first `countMax`; only their blocks are decoded.
  mutating func list(of codes: BitVector, countMax: Int) throws(StorageError) -> TagValueList {
    var list = TagValueList()
    for index in blocks.indices where list.count < countMax {
      let first = key.firstPlaces[index] + 1
      var at = first
      let end = key.firstPlaces[index + 1] + 1
      while let code = codes.firstOne(in: at..<end) {
        list.append(try load(index).value(code - first))
        at = code + 1
      }
    }
    return list
  }

  /// Decodes every block.
  mutating func loadAll() throws(StorageError) -> [Block?] {
    for index in blocks.indices { _ = try load(index) }
    return blocks
  }

  /// The block that holds the value at a place in order.
  func blockIndex(of place: Int) -> Int {
    key.values.count == 1 ? 0 : key.firstPlaces.partitioningIndex { $0 > place } - 1
  }

  /// Decodes a block unless that was done.
  mutating func load(_ index: Int) throws(StorageError) -> Block {
    let block = try decode(index)
    blocks[index] = block
    return block
  }

  /// The same, without keeping it.
  func decode(_ index: Int) throws(StorageError) -> Block {
    if let block = blocks[index] { return block }
    var reader = try source.reader(key.values.handle(index))
    let expected = key.firstPlaces[index + 1] - key.firstPlaces[index]
    var block = Block()
    var value: [UInt8] = []
    for place in 0..<expected {
      let shared = try reader.count("shared bytes", max: value.count)
      let suffix = try reader.count("bytes of a tag value")
      let range = try reader.take(suffix)
      let isAfter = place == 0 || Self.isAfter(value, shared: shared, reader.payload, range)
      guard isAfter else { throw reader.corrupt("tag value \(place) does not come after the one before it") }
      value.removeLast(value.count - shared)
      value.append(contentsOf: reader.payload[range])
      putText(value, to: &block.bytes)
      block.lengthByteCounts.append(UInt8(block.bytes.count - block.starts[place] - value.count))
      block.starts.append(block.bytes.count)
    }
    guard reader.isAtEnd, expected == 0 || block.value(0).elementsEqual(key.firstValues[index]) else {
      throw reader.corrupt("expected \(expected) tag values from \(hexadecimal(key.firstValues[index]))")
    }
    return block
  }

  /// Whether `shared` bytes of `previous` and a suffix make a value that comes after it.
  private static func isAfter(_ previous: [UInt8], shared: Int, _ bytes: [UInt8], _ suffix: Range<Int>)
    -> Bool
  {
    compareBytes(previous, shared..<previous.count, bytes, suffix) < 0
  }

  /// The place of a value in order, `nil` if it is not here.
  mutating func place(of value: [UInt8]) throws(StorageError) -> Int? {
    let index = key.firstValues.partitioningIndex { value.lexicographicallyPrecedes($0) } - 1
    guard index >= 0 else { return nil }
    let block = try load(index)
    let count = block.starts.count - 1
    let found = (0..<count).partitioningIndex { !block.value($0).lexicographicallyPrecedes(value) }
    guard found < count, block.value(found).elementsEqual(value) else { return nil }
    return key.firstPlaces[index] + found
  }
}
