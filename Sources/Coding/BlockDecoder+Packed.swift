extension BlockDecoder {
  /// Decodes a packed block; `output` has room for `rows`, which lie in `0..<count`.
  func decodePacked(
    _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var offset = 2
    guard bytes.count > 1, let prediction = unsafe Prediction(rawValue: bytes[1] & 3),
      let code = unsafe TransformCode(rawValue: bytes[1] >> 2)
    else { throw .malformed(offset: 1, expected: "a prediction and a transform") }
    switch code {
    case .identity:
      try unsafe decodeGroups(bytes, offset, prediction, RestoreIdentity(), count, rows, into: output)
    case .rotated:
      try unsafe decodeGroups(bytes, offset, prediction, RestoreRotated(), count, rows, into: output)
    case .scaled:
      guard let unit = unsafe readVarint(bytes, at: &offset),
        let origin = unsafe readVarint(bytes, at: &offset)
      else {
        throw .malformed(offset: offset, expected: "a unit and an origin")
      }
      let restore = RestoreScaled(unit: unit, origin: UInt64(bitPattern: unzigzag(origin)))
      try unsafe decodeGroups(bytes, offset, prediction, restore, count, rows, into: output)
    case .decimal:
      let restore = try unsafe decimal(bytes, at: &offset)
      let patches = try unsafe Patches(decoding: bytes, at: &offset, count: count)
      try unsafe decodeGroups(bytes, offset, prediction, restore, count, rows, into: output)
      try unsafe patches.apply(bytes, count: count, rows: rows, to: output)
    case .nearDecimal:
      let restore = try unsafe decimal(bytes, at: &offset)
      let place = try unsafe Corrections.skip(bytes, at: &offset, count: count)
      try unsafe decodeGroups(bytes, offset, prediction, restore, count, rows, into: output)
      try unsafe Corrections.apply(place, bytes, count: count, rows: rows, to: output)
    }
  }

  private func decimal(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int
  ) throws(CodingError) -> RestoreDecimal {
    guard let exponent = unsafe readLittleEndian(UInt8.self, bytes, at: &offset),
      Int(exponent) <= RestoreDecimal.exponentMax
    else { throw .malformed(offset: offset, expected: "an exponent of 0 to \(RestoreDecimal.exponentMax)") }
    return RestoreDecimal(power: RestoreDecimal.power(Int(exponent)))
  }

  /// Decodes the groups that `rows` touches; their headers start at `offset`, their bodies follow the
  /// headers.
  private func decodeGroups<Restore: Restoring>(
    _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ prediction: Prediction, _ restore: Restore,
    _ count: Int,
    _ rows: Range<Int>, into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    // All headers are read first: they say where bodies begin, and that the block's length is right.
    var at = offset
    var bodyByteCount = 0
    for first in stride(from: 0, to: count, by: groupRowCount) {
      let rowCount = min(groupRowCount, count - first)
      bodyByteCount += try unsafe PackedGroup(decoding: bytes, at: &at, prediction, rowCount: rowCount)
        .bodyByteCount(rowCount)
    }
    guard bytes.count - at == bodyByteCount, let target = output.baseAddress else {
      if rows.isEmpty && bytes.count - at == bodyByteCount { return }
      throw .malformed(
        offset: at, expected: "\(bodyByteCount) bytes of packed groups, not \(bytes.count - at)")
    }
    var body = at
    at = offset
    try unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * groupRowCount) {
      scratch throws(CodingError) in
      guard let lanes = scratch.baseAddress else { return }
      let whole = unsafe lanes + groupRowCount
      for first in stride(from: 0, to: rows.upperBound, by: groupRowCount) {
        let rowCount = min(groupRowCount, count - first)
        let group = try unsafe PackedGroup(decoding: bytes, at: &at, prediction, rowCount: rowCount)
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
            source, prediction, restore, rowCount: rowCount, lanes: lanes, into: destination)
          if !isWhole { unsafe place.update(from: whole + (wanted.lowerBound - first), count: wanted.count) }
        }
        body = next
      }
    }
  }
}

/// Floats of a decimal block that are no decimals: their rows, and their words as they are.
struct Patches {
  /// Of the gaps between rows.
  private var offset = 0
  private var patchCount = 0
  private var wordsOffset = 0

  /// Reads past the patches at `offset`.
  init(decoding bytes: UnsafeRawBufferPointer, at offset: inout Int, count: Int) throws(CodingError) {
    guard let patchCount = unsafe readVarint(bytes, at: &offset), patchCount <= UInt64(count) else {
      throw .malformed(offset: offset, expected: "at most \(count) patches")
    }
    self.patchCount = Int(patchCount)
    self.offset = offset
    for _ in 0..<self.patchCount {
      guard unsafe readVarint(bytes, at: &offset) != nil else {
        throw .malformed(offset: offset, expected: "a gap before a patched row")
      }
    }
    wordsOffset = offset
    guard bytes.count - offset >= self.patchCount * 8 else {
      throw .malformed(offset: offset, expected: "\(patchCount) words of 8 bytes")
    }
    offset += self.patchCount * 8
  }

  /// Writes the patches that lie in `rows` over `output`, whose first word is that of the first of `rows`.
  func apply(
    _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>,
    to output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var gapOffset = offset
    var wordOffset = wordsOffset
    var row = 0
    for _ in 0..<patchCount {
      guard let gap = unsafe readVarint(bytes, at: &gapOffset), gap < UInt64(count - row),
        let word = unsafe readLittleEndian(UInt64.self, bytes, at: &wordOffset)
      else { throw .malformed(offset: gapOffset, expected: "a patched row below \(count)") }
      row += Int(gap)
      if rows.contains(row) { unsafe output[row - rows.lowerBound] = word }
      row += 1
    }
  }

  /// Appends patches: their rows ascend.
  static func encode(rows: [Int], words: [UInt64], into output: inout [UInt8]) {
    appendVarint(UInt64(rows.count), to: &output)
    var next = 0
    for row in rows {
      appendVarint(UInt64(row - next), to: &output)
      next = row + 1
    }
    for word in words { appendLittleEndian(word, to: &output) }
  }
}
