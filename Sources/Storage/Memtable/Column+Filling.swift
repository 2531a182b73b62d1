import LineProtocol

/// Filling a column from a part's rows, whose strings are addresses.
extension Column {
  /// Appends rows that all have a value.
  mutating func append(_ words: UnsafeBufferPointer<UInt64>) {
    if words.isEmpty { return }
    if key.type == .string {
      for index in words.indices { unsafe appendString(at: words[index]) }
    } else {
      unsafe values.append(contentsOf: words)
    }
    presentCount += words.count
    if !validity.isEmpty { extendValidity(with: true, count: words.count) }
  }

  /// Appends rows that have none.
  mutating func appendAbsent(_ count: Int) {
    if validity.isEmpty { extendValidity(with: true, count: values.count, from: 0) }
    let start = values.count
    for _ in 0..<count { values.append(0) }
    extendValidity(with: false, count: count, from: start)
  }

  /// Brings the column to the form that `Column` states.
  mutating func finish() {
    if presentCount == 0 {
      values.removeAll(keepingCapacity: true)
      validity.removeAll(keepingCapacity: true)
    }
  }

  /// The count of a string lies at `address`, its bytes behind it: written by the inserter before the row was
  /// published.
  private mutating func appendString(at address: UInt64) {
    guard let start = unsafe UnsafeRawPointer(bitPattern: UInt(address)) else {
      values.append(0)
      return
    }
    let count = unsafe start.load(as: UInt32.self)
    values.append(UInt64(bytes.count) << 32 | UInt64(count))
    unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: start + 4, count: Int(count)))
  }

  private mutating func extendValidity(with bit: Bool, count: Int) {
    extendValidity(with: bit, count: count, from: values.count - count)
  }

  private mutating func extendValidity(with bit: Bool, count: Int, from start: Int) {
    while validity.count * 64 < start + count { validity.append(0) }
    guard bit else { return }
    for index in start..<start + count { validity[index >> 6] |= 1 << UInt64(index & 63) }
  }
}
