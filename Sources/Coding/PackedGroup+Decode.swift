extension PackedGroup {
  private typealias Lanes = SIMD8<UInt64>

  /// Decodes the group's body of `bodyByteCount(rowCount)` bytes into `rowCount` words at `output`; `lanes`
  /// is scratch for 1,024.
  func decode<Restore: Restoring>(
    _ body: UnsafeRawBufferPointer, _: Void, _ prediction: Prediction, _ restore: Restore, rowCount: Int,
    lanes: UnsafeMutablePointer<UInt64>, into output: UnsafeMutablePointer<UInt64>
  ) throws(CodingError) {
    let packedByteCount = BitPacking.byteCount(rowCount, width: width)
    if rowCount == groupRowCount, exceptionCount == 0, prediction == .delta, let bytes = body.baseAddress {
      // The usual group: summed while it is unpacked.
      let sums = unsafe BitPacking.unpackGroup(bytes, width: width, isSummed: true, into: lanes)
      return unsafe finishDeltas(sums, restore, lanes, into: output)
    }
    // A group whose packed words take no bytes may have no body at all.
    if let bytes = body.baseAddress {
      if rowCount == groupRowCount {
        _ = unsafe BitPacking.unpackGroup(bytes, width: width, isSummed: false, into: lanes)
      } else {
        unsafe BitPacking.unpackStream(bytes, count: rowCount, width: width, into: lanes)
      }
    } else {
      unsafe lanes.update(repeating: 0, count: rowCount)
    }
    if exceptionCount > 0 {
      try unsafe addExceptions(body, at: packedByteCount, rowCount: rowCount, to: lanes)
    }
    if rowCount == groupRowCount {
      unsafe finishLanes(prediction, restore, lanes, into: output)
    } else {
      unsafe finishRows(prediction, restore, rowCount, lanes, into: output)
    }
  }

  /// Adds the high bits of exceptions to words that lie in lanes, or by row where the group is short.
  private func addExceptions(
    _ body: UnsafeRawBufferPointer, at offset: Int, rowCount: Int, to words: UnsafeMutablePointer<UInt64>
  ) throws(CodingError) {
    var rowOffset = offset
    var highOffset = offset + 2 * exceptionCount
    for _ in 0..<exceptionCount {
      guard let row = unsafe readLittleEndian(UInt16.self, body, at: &rowOffset), Int(row) < rowCount else {
        throw .malformed(offset: rowOffset, expected: "an exception's row below \(rowCount)")
      }
      var high: UInt64 = 0
      for index in 0..<highByteCount {
        // Within the body, whose length counts all exceptions.
        high |= UInt64(unsafe body[highOffset + index]) &<< UInt64(index * 8)
      }
      highOffset += highByteCount
      // The last byte has the sign.
      let unused = UInt64(64 - 8 * highByteCount)
      high = UInt64(bitPattern: Int64(bitPattern: high &<< unused) &>> Int64(unused))
      let slot = rowCount == groupRowCount ? Int(row & 127) << 3 | Int(row >> 7) : Int(row)
      // Bits above 64 fall off, here as in the encoder.
      unsafe words[slot] &+= width < 64 ? high &<< UInt64(width) : 0
    }
  }

  /// Sums up what is predicted, restores words and puts them in row order: a full group.
  ///
  /// A value is the running sum of its lane, and a line in the row that holds the base and what earlier lanes
  /// add.
  private func finishLanes<Restore: Restoring>(
    _ prediction: Prediction, _ restore: Restore, _ lanes: UnsafeMutablePointer<UInt64>,
    into output: UnsafeMutablePointer<UInt64>
  ) {
    let count = UInt64(BitPacking.laneRowCount)
    var line = Lanes.zero
    var slope = Lanes.zero
    switch prediction {
    case .none:
      line = Lanes(repeating: base)
    case .line:
      slope = Lanes(repeating: step)
      for lane in 0..<8 { line[lane] = start &+ step &* (UInt64(lane) &* count) }
    case .delta:
      return unsafe finishDeltas(Self.sumLanes(lanes, adding: 0), restore, lanes, into: output)
    case .deltaOfDelta:
      // Twice: words to differences, differences (less what the lane begins with) to values.
      let steps = unsafe Self.sumLanes(lanes, adding: base)
      let sums = unsafe Self.sumLanes(lanes, adding: 0)
      var (before, beforeStep) = (start, step)
      for lane in 0..<8 {
        slope[lane] = beforeStep
        line[lane] = before &+ beforeStep
        before &+= sums[lane] &+ beforeStep &* count
        beforeStep &+= steps[lane]
      }
    }
    line &+= Lanes(repeating: restore.bias)
    unsafe Self.restoreLanes(lanes, line: line, slope: slope, restore, into: output)
  }

  /// Restores deltas whose running sums in each lane are there, and the last of each in `sums`.
  private func finishDeltas<Restore: Restoring>(
    _ sums: SIMD8<UInt64>, _ restore: Restore, _ lanes: UnsafePointer<UInt64>,
    into output: UnsafeMutablePointer<UInt64>
  ) {
    var line = Lanes.zero
    var before = start &+ base &+ restore.bias
    for lane in 0..<8 {
      line[lane] = before
      before &+= sums[lane] &+ base &* UInt64(BitPacking.laneRowCount)
    }
    unsafe Self.restoreLanes(lanes, line: line, slope: Lanes(repeating: base), restore, into: output)
  }

  /// Turns each lane's words, each with `base` added, into their running sums, in place; returns the last of
  /// each.
  private static func sumLanes(_ lanes: UnsafeMutablePointer<UInt64>, adding base: UInt64) -> Lanes {
    let bytes = UnsafeMutableRawPointer(lanes)
    let base = Lanes(repeating: base)
    var sum = Lanes.zero
    for row in 0..<BitPacking.laneRowCount {
      sum &+= unsafe bytes.loadUnaligned(fromByteOffset: row &* 64, as: Lanes.self) &+ base
      unsafe bytes.storeBytes(of: sum, toByteOffset: row &* 64, as: Lanes.self)
    }
    return sum
  }

  /// Adds `line`, which grows by `slope` a row, restores, and writes rows in order: two rows of eight lanes
  /// at a time.
  @inline(__always)
  private static func restoreLanes<Restore: Restoring>(
    _ lanes: UnsafePointer<UInt64>, line: Lanes, slope: Lanes, _ restore: Restore,
    into output: UnsafeMutablePointer<UInt64>
  ) {
    let source = unsafe UnsafeRawPointer(lanes)
    var line = line
    for row in stride(from: 0, to: BitPacking.laneRowCount, by: 2) {
      let a = restore(unsafe source.loadUnaligned(fromByteOffset: row &* 64, as: Lanes.self) &+ line)
      line &+= slope
      let b = restore(unsafe source.loadUnaligned(fromByteOffset: row &* 64 &+ 64, as: Lanes.self) &+ line)
      line &+= slope
      let target = unsafe UnsafeMutableRawPointer(output + row)
      unsafe target.storeBytes(of: SIMD2(a[0], b[0]), as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[1], b[1]), toByteOffset: 1024, as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[2], b[2]), toByteOffset: 2048, as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[3], b[3]), toByteOffset: 3072, as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[4], b[4]), toByteOffset: 4096, as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[5], b[5]), toByteOffset: 5120, as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[6], b[6]), toByteOffset: 6144, as: SIMD2<UInt64>.self)
      unsafe target.storeBytes(of: SIMD2(a[7], b[7]), toByteOffset: 7168, as: SIMD2<UInt64>.self)
    }
  }

  /// The same for a group that lies by row: a short one, or one in ranges.
  func finishRows<Restore: Restoring>(
    _ prediction: Prediction, _ restore: Restore, _ rowCount: Int, _ words: UnsafePointer<UInt64>,
    into output: UnsafeMutablePointer<UInt64>
  ) {
    var value = start &+ restore.bias
    var difference = step
    switch prediction {
    case .none:
      let base = base &+ restore.bias
      for row in 0..<rowCount { unsafe output[row] = unsafe restore(words[row] &+ base) }
    case .line:
      for row in 0..<rowCount {
        unsafe output[row] = unsafe restore(words[row] &+ value)
        value &+= step
      }
    case .delta:
      for row in 0..<rowCount {
        value &+= unsafe words[row] &+ base
        unsafe output[row] = restore(value)
      }
    case .deltaOfDelta:
      for row in 0..<rowCount {
        difference &+= unsafe words[row] &+ base
        value &+= difference
        unsafe output[row] = restore(value)
      }
    }
  }
}
