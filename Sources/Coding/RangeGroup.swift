/// A group whose integers are told by ranges.
///
/// Its body: places in ranges as one stream of bits; then, read from the end, two numbers of 32 bits and
/// words of 16, from which the ranges come one after the other: an asymmetric numeral system, here two of
/// them in turn, so that one need not wait for the other. (Duda, "Asymmetric numeral systems", 2013; Giesen,
/// "Interleaved entropy coders", 2014.)
struct RangeGroup: StoredGroup {
  /// Start and step: what prediction adds.
  var frame: PackedGroup
  var byteCount = 0

  /// From here on a state is told without a word more.
  static let stateMin: UInt32 = 1 << 16
  static let stateByteCount = 8

  init(frame: PackedGroup) { self.frame = frame }

  static func shared(_ bytes: UnsafeRawBufferPointer, at offset: inout Int) throws(CodingError) -> RangeSlots
  {
    try unsafe RangeSlots(RangeTable(decoding: bytes, at: &offset))
  }

  init(
    decoding bytes: UnsafeRawBufferPointer, at offset: inout Int, _ prediction: Prediction, rowCount: Int
  ) throws(CodingError) {
    frame = PackedGroup()
    try unsafe frame.decodeFrame(bytes, at: &offset, prediction)
    guard let count = unsafe readVarint(bytes, at: &offset), count >= UInt64(Self.stateByteCount),
      count <= UInt64(bytes.count)
    else { throw .malformed(offset: offset, expected: "a group's bytes, 8 or more, within the block") }
    byteCount = Int(count)
  }

  /// Appends the header, once the body's length is known.
  func encode(_ prediction: Prediction, into output: inout [UInt8]) {
    frame.encodeFrame(prediction, into: &output)
    appendVarint(UInt64(byteCount), to: &output)
  }

  func bodyByteCount(_ rowCount: Int) -> Int { byteCount }

  // MARK: Decoding

  func decode<Restore: Restoring>(
    _ body: UnsafeRawBufferPointer, _ shared: RangeSlots, _ prediction: Prediction, _ restore: Restore,
    rowCount: Int,
    lanes: UnsafeMutablePointer<UInt64>, into output: UnsafeMutablePointer<UInt64>
  ) throws(CodingError) {
    // The output has eight bytes a row, and is not written before the ranges are of no more use.
    let ranges = unsafe UnsafeMutableRawPointer(output).assumingMemoryBound(to: UInt8.self)
    // The header has seen to the bytes of two states.
    guard let bytes = body.baseAddress else { return }
    try unsafe shared.slots.withUnsafeBufferPointer { slots throws(CodingError) in
      try unsafe shared.table.widths.withUnsafeBufferPointer { widths throws(CodingError) in
        try unsafe Self.readRanges(bytes, body.count, slots, widths, rowCount: rowCount, into: ranges)
        unsafe shared.table.lowers.withUnsafeBufferPointer { lowers in
          unsafe Self.readPlaces(bytes, ranges, lowers, widths, rowCount: rowCount, into: lanes)
        }
      }
    }
    unsafe frame.finishRows(prediction, restore, rowCount, lanes, into: output)
  }

  /// Finds the range of each row, and sees to it that the places take just the bytes that are left.
  private static func readRanges(
    _ bytes: UnsafeRawPointer, _ byteCount: Int, _ slots: UnsafeBufferPointer<UInt32>,
    _ widths: UnsafeBufferPointer<UInt8>, rowCount: Int, into ranges: UnsafeMutablePointer<UInt8>
  ) throws(CodingError) {
    var position = byteCount - stateByteCount
    var even = UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    var odd = UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
    var placeBitCount = 0
    /// The range of a state, which goes on to the next. There are 1,024 slots, whose ranges are in the table.
    @inline(__always) func next(_ state: inout UInt32, _ row: Int) {
      let slot = unsafe slots[Int(state & 1023)]
      let range = Int(slot &>> 20)
      unsafe ranges[row] = UInt8(truncatingIfNeeded: range)
      placeBitCount &+= Int(unsafe widths[range])
      state = (slot &>> 10 & 1023 &+ 1) &* (state &>> 10) &+ slot & 1023
      // A branch here would go wrong every few rows. Where no word is left, the eight bytes of the states
      // stand behind.
      let isLow = state < stateMin
      let place = max(0, position &- 2)
      let word = UInt16(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self))
      state = isLow ? state &<< 16 | UInt32(word) : state
      position &-= isLow ? 2 : 0
    }
    var row = 0
    while row &+ 1 < rowCount {
      next(&even, row)
      next(&odd, row &+ 1)
      row &+= 2
    }
    if row < rowCount { next(&even, row) }
    guard even == stateMin, odd == stateMin, (placeBitCount &+ 7) / 8 == position else {
      throw .malformed(
        offset: 0, expected: "\(rowCount) ranges, and places of as many bits, in \(byteCount) bytes")
    }
  }

  /// Adds up ranges and places in them. All bits of the places are there, and eight bytes behind them.
  private static func readPlaces(
    _ bytes: UnsafeRawPointer, _ ranges: UnsafePointer<UInt8>, _ lowers: UnsafeBufferPointer<UInt64>,
    _ widths: UnsafeBufferPointer<UInt8>, rowCount: Int, into words: UnsafeMutablePointer<UInt64>
  ) {
    var bit = 0
    for row in 0..<rowCount {
      let range = Int(unsafe ranges[row])
      let width = Int(unsafe widths[range])
      let word = UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self))
      unsafe words[row] = lowers[range] &+ (word &>> UInt64(bit & 7)) & ((1 &<< UInt64(width)) &- 1)
      bit &+= width
    }
  }
}
