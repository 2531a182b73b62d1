extension BlockDecoder {
  /// Decodes a block of groups, packed or in ranges; `output` has room for `rows`, which lie in `0..<count`.
  func decodePacked<Group: StoredGroup>(
    _ bytes: UnsafeRawBufferPointer, as group: Group.Type, count: Int, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var offset = 2
    guard bytes.count > 1, let prediction = unsafe Prediction(rawValue: bytes[1] & 3),
      let code = unsafe TransformCode(rawValue: bytes[1] >> 2)
    else { throw .malformed(offset: 1, expected: "a prediction and a transform") }
    switch code {
    case .identity:
      try unsafe decodeGroups(
        bytes, as: group, offset, prediction, RestoreIdentity(), count, rows, into: output)
    case .rotated:
      try unsafe decodeGroups(
        bytes, as: group, offset, prediction, RestoreRotated(), count, rows, into: output)
    case .scaled:
      guard let unit = unsafe readVarint(bytes, at: &offset),
        let origin = unsafe readVarint(bytes, at: &offset)
      else {
        throw .malformed(offset: offset, expected: "a unit and an origin")
      }
      let restore = RestoreScaled(unit: unit, origin: UInt64(bitPattern: unzigzag(origin)))
      try unsafe decodeGroups(bytes, as: group, offset, prediction, restore, count, rows, into: output)
    case .decimal, .nearDecimal:
      guard let exponent = unsafe readLittleEndian(UInt8.self, bytes, at: &offset),
        Int(exponent) <= RestoreDecimal.exponentMax
      else { throw .malformed(offset: offset, expected: "an exponent of 0 to \(RestoreDecimal.exponentMax)") }
      let corrections = try unsafe StoredCorrections(
        decoding: bytes, at: &offset, count: count, hasUnits: code == .nearDecimal)
      let restore = RestoreDecimal(power: RestoreDecimal.power(Int(exponent)))
      try unsafe decodeGroups(bytes, as: group, offset, prediction, restore, count, rows, into: output)
      try unsafe corrections.apply(bytes, count: count, rows: rows, to: output)
    }
  }

  /// Decodes the groups that `rows` touches; what they share is at `offset`, then come their headers, then
  /// their bodies.
  private func decodeGroups<Group: StoredGroup, Restore: Restoring>(
    _ bytes: UnsafeRawBufferPointer, as _: Group.Type, _ offset: Int, _ prediction: Prediction,
    _ restore: Restore,
    _ count: Int,
    _ rows: Range<Int>, into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    // All headers are read first: they say where bodies begin, and that the block's length is right.
    var at = offset
    let shared = try unsafe Group.shared(bytes, at: &at)
    let headers = at
    var bodyByteCount = 0
    for first in stride(from: 0, to: count, by: groupRowCount) {
      let rowCount = min(groupRowCount, count - first)
      bodyByteCount += try unsafe Group(decoding: bytes, at: &at, prediction, rowCount: rowCount)
        .bodyByteCount(rowCount)
    }
    guard bytes.count - at == bodyByteCount, let target = output.baseAddress else {
      if rows.isEmpty && bytes.count - at == bodyByteCount { return }
      throw .malformed(
        offset: at, expected: "\(bodyByteCount) bytes of packed groups, not \(bytes.count - at)")
    }
    var body = at
    at = headers
    try unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * groupRowCount) {
      scratch throws(CodingError) in
      guard let lanes = scratch.baseAddress else { return }
      let whole = unsafe lanes + groupRowCount
      for first in stride(from: 0, to: rows.upperBound, by: groupRowCount) {
        let rowCount = min(groupRowCount, count - first)
        let group = try unsafe Group(decoding: bytes, at: &at, prediction, rowCount: rowCount)
        let next = body + group.bodyByteCount(rowCount)
        let wanted = rows.clamped(to: first..<first + rowCount)
        if !wanted.isEmpty {
          // The body lies within `bytes`: the sum of all was checked. `wanted` lies within `rows`, for which
          // there is room.
          let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[body..<next])
          let place = unsafe target + (wanted.lowerBound - rows.lowerBound)
          let isWhole = wanted.count == rowCount
          let destination = unsafe isWhole ? place : whole
          try unsafe group.decode(
            source, shared, prediction, restore, rowCount: rowCount, lanes: lanes, into: destination)
          if !isWhole { unsafe place.update(from: whole + (wanted.lowerBound - first), count: wanted.count) }
        }
        body = next
      }
    }
  }
}
