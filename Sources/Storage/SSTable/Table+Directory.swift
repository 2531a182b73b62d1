extension Table {
  /// The blocks of the directory, and the first name in each.
  func directory() throws(StorageError) -> (run: BlockRun, firstNames: [[UInt8]]) {
    var reader = try source.reader(footer.directory, priority: .high)
    let count = try reader.count("blocks")
    var run = BlockRun(offset: try reader.varint())
    var names: [[UInt8]] = []
    for _ in 0..<count {
      names.append(try reader.text())
      run.append(try reader.blockByteCount())
    }
    try checkList(run, before: reader)
    return (run, names)
  }

  /// The blocks of the Bloom filter.
  func filter() throws(StorageError) -> BlockRun {
    var reader = try source.reader(footer.filter, priority: .high)
    let count = try reader.count("blocks")
    var run = BlockRun(offset: try reader.varint())
    for _ in 0..<count { run.append(try reader.blockByteCount()) }
    try checkList(run, before: reader)
    return run
  }

  /// A list of blocks ends where its own block begins.
  private func checkList(_ run: BlockRun, before reader: PayloadReader) throws(StorageError) {
    guard run.count > 0, reader.isAtEnd, run.offset &+ run.starts[run.count] == reader.handle.offset else {
      throw reader.corrupt(
        "expected blocks that end at \(reader.handle.offset), found \(run.count) from \(run.offset)")
    }
  }

  /// The measurements of one block of the directory, with their tops.
  func entries(_ handle: BlockHandle) throws(StorageError) -> [(name: [UInt8], top: BlockHandle)] {
    var reader = try source.reader(handle, priority: .high)
    var entries: [(name: [UInt8], top: BlockHandle)] = []
    while !reader.isAtEnd {
      let name = try reader.text()
      let offset = try reader.varint()
      if let last = entries.last, !last.name.lexicographicallyPrecedes(name) {
        throw reader.corrupt("measurements are out of order")
      }
      entries.append((name, BlockHandle(offset: offset, byteCount: try reader.blockByteCount())))
    }
    return entries
  }

  package func measurements() throws(StorageError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    let run = try directory().run
    for index in 0..<run.count { names += try entries(run.handle(index)).map(\.name) }
    return names
  }

  /// Where the top of a measurement lies.
  func handle(of measurement: [UInt8]) throws(StorageError) -> BlockHandle? {
    let (run, firstNames) = try directory()
    let index = firstNames.partitioningIndex { measurement.lexicographicallyPrecedes($0) } - 1
    guard index >= 0 else { return nil }
    return try entries(run.handle(index)).first { $0.name == measurement }?.top
  }

  /// Whether the table may hold a series: no for sure, yes wrongly for about one absent series in a hundred.
  package func mayContain(_ key: [UInt8]) throws(StorageError) -> Bool {
    try mayContain(hash: BloomFilter.hash(key, .series))
  }

  /// Whether any series of a measurement may have a tag with this value.
  package func mayContain(measurement: [UInt8], tagKey: [UInt8], value: [UInt8]) throws(StorageError) -> Bool
  {
    var key: [UInt8] = []
    putText(measurement, to: &key)
    putText(tagKey, to: &key)
    putText(value, to: &key)
    return try mayContain(hash: BloomFilter.hash(key, .tag))
  }

  private func mayContain(hash: UInt64) throws(StorageError) -> Bool {
    let run = try filter()
    let perBlock = TableFormat.filterBlockByteCount / BloomFilter.blockByteCount
    let last = try source.block(run.handle(run.count - 1), priority: .high).payload.count
    guard last > 0, last % BloomFilter.blockByteCount == 0, last <= TableFormat.filterBlockByteCount else {
      throw source.corrupt(run.handle(run.count - 1), "filter block of \(last) bytes")
    }
    let blockCount = (run.count - 1) * perBlock + last / BloomFilter.blockByteCount
    let block = BloomFilter.block(of: hash, blockCount: blockCount)
    let handle = run.handle(block / perBlock)
    let payload = try source.block(handle, priority: .high).payload
    let base = block % perBlock * BloomFilter.blockByteCount
    guard base + BloomFilter.blockByteCount <= payload.count else {
      throw source.corrupt(handle, "filter block of \(payload.count) bytes")
    }
    return BloomFilter.mayContain(hash, in: payload, at: base)
  }
}
