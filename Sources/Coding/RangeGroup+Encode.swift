extension RangeGroup {
  /// Appends the body of `rowCount` words, of which `places` has the ranges, and notes its length.
  mutating func encodeBody(
    _ words: UnsafePointer<UInt64>, _ places: UnsafePointer<UInt8>, _ table: RangeTable, rowCount: Int,
    into output: inout [UInt8]
  ) {
    let start = output.count
    unsafe Self.writePlaces(words, places, table, rowCount: rowCount, into: &output)
    unsafe Self.writeRanges(places, table, rowCount: rowCount, into: &output)
    byteCount = output.count - start
  }

  /// Appends places in ranges as one stream of bits, low bits first.
  private static func writePlaces(
    _ words: UnsafePointer<UInt64>, _ places: UnsafePointer<UInt8>, _ table: RangeTable, rowCount: Int,
    into output: inout [UInt8]
  ) {
    // 56 bits a row at most, and a word that is not full.
    output.append(addingCapacity: rowCount * 7 + 8) { span in
      unsafe span.withUnsafeMutableBufferPointer { bytes, initializedCount in
        let buffer = UnsafeMutableRawBufferPointer(bytes)
        var pending: UInt64 = 0
        var shift: UInt64 = 0
        var at = initializedCount
        for row in 0..<rowCount {
          let range = Int(unsafe places[row])
          let place = unsafe words[row] &- table.lowers[range]
          let width = UInt64(table.widths[range])
          pending |= place &<< shift
          shift &+= width
          if shift >= 64 {
            unsafe buffer.storeBytes(of: pending.littleEndian, toByteOffset: at, as: UInt64.self)
            at &+= 8
            shift &-= 64
            pending = shift == 0 ? 0 : place &>> (width &- shift)
          }
        }
        unsafe buffer.storeBytes(of: pending.littleEndian, toByteOffset: at, as: UInt64.self)
        initializedCount = at + Int(shift + 7) / 8
      }
    }
  }

  /// Appends words of 16 bits and the two states, from the last row to the first: the reader begins at the
  /// end.
  private static func writeRanges(
    _ places: UnsafePointer<UInt8>, _ table: RangeTable, rowCount: Int, into output: inout [UInt8]
  ) {
    let starts = table.starts()
    var states = (even: stateMin, odd: stateMin)
    func push(_ range: Int, _ state: inout UInt32) {
      let share = UInt32(table.shares[range])
      if UInt64(state) >= UInt64(share) &<< 22 {
        appendLittleEndian(UInt16(truncatingIfNeeded: state), to: &output)
        state &>>= 16
      }
      state = (state / share) &<< 10 &+ state % share &+ UInt32(starts[range])
    }
    for row in stride(from: rowCount - 1, through: 0, by: -1) {
      let range = Int(unsafe places[row])
      if row & 1 == 0 { push(range, &states.even) } else { push(range, &states.odd) }
    }
    appendLittleEndian(states.even, to: &output)
    appendLittleEndian(states.odd, to: &output)
  }
}
