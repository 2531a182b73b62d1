import CShims

/// The canonical order of two series keys in flat form (`SeriesKey.bytes`): negative, 0 or positive as `a` goes before, with
/// or after `b`.
///
/// The same order as `SeriesKey.<`, without parsing into parts: series lists of a million keys are merged with it. A length
/// that passes the end of the bytes is cut there, so that malformed bytes give some order and never a trap.
func seriesKeyOrder(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int {
  let same = sharedByteCount(a, b)
  if same == a.count, same == b.count { return 0 }
  var x = KeyCursor(), y = KeyCursor()
  let measurement = order(a, x.text(a), b, y.text(b), same: same)
  if measurement != 0 { return measurement }
  let tags = (x.number(a), y.number(b))
  for _ in 0..<min(tags.0, tags.1, a.count) {
    let key = order(a, x.text(a), b, y.text(b), same: same)
    // The lower key is present on one side and absent on the other: absent goes first.
    if key != 0 { return -key }
    let value = order(a, x.text(a), b, y.text(b), same: same)
    if value != 0 { return value }
  }
  return tags.0 - tags.1
}

/// Bytes at the beginning that both have.
func sharedByteCount(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Int {
  // Within both.
  unsafe a.withUnsafeBufferPointer { p in
    unsafe b.withUnsafeBufferPointer { q in
      guard let x = p.baseAddress, let y = q.baseAddress else { return 0 }
      return unsafe CShims_commonPrefix(x, y, min(p.count, q.count))
    }
  }
}

/// Lexicographic order of two stretches of bytes; those at the same place in the first `same` bytes are equal.
@inline(__always)
private func order(_ a: Span<UInt8>, _ x: Range<Int>, _ b: Span<UInt8>, _ y: Range<Int>, same: Int) -> Int {
  if x == y, x.upperBound <= same { return 0 }
  return compareBytes(a, x, b, y)
}

/// A position in the flat form of a key.
private struct KeyCursor {
  var offset = 0

  @inline(__always)
  mutating func number(_ bytes: Span<UInt8>) -> Int {
    var (value, shift) = (0, 0)
    while offset < bytes.count, shift < 35 {
      let byte = bytes[offset]
      offset += 1
      value |= Int(byte & 0x7f) << shift
      if byte < 0x80 { break }
      shift += 7
    }
    return value
  }

  @inline(__always)
  mutating func text(_ bytes: Span<UInt8>) -> Range<Int> {
    let length = number(bytes)
    let start = offset
    offset = min(bytes.count, start + length)
    return start..<offset
  }
}
