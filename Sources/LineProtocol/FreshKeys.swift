/// The keys of the series that were numbered for the batch that is being made, and made when they were: who takes it in asks for each
/// several times.
struct FreshKeys: ~Copyable {
  /// Bytes of keys past which no more are kept.
  static let byteCountMax = 1 << 19

  /// The first number of those that are here; the others follow it without a gap.
  private var first: UInt32 = 0
  private var ends = Buffer<UInt32>()
  private var bytes = Buffer<UInt8>(capacity: 1 << 10)

  /// Takes the key of a number in, higher than those before; `append` appends its bytes.
  mutating func add(_ number: UInt32, _ append: (inout Buffer<UInt8>) -> Void) {
    if bytes.count >= Self.byteCountMax { return }
    if UInt64(number) != UInt64(first) + UInt64(ends.count) {
      reset()
      first = number
    }
    append(&bytes)
    ends.append(UInt32(bytes.count))
  }

  /// Forgets all, keeps the memory.
  mutating func reset() {
    ends.reset()
    bytes.reset()
  }

  /// The flat form of the key of a number, valid until the next one is taken in; `nil` if it is not here.
  func key(_ number: UInt32) -> UnsafeBufferPointer<UInt8>? {
    guard number >= first, number - first < UInt32(ends.count) else { return nil }
    let place = Int(number - first)
    let start = place == 0 ? 0 : Int(ends[place - 1])
    return unsafe UnsafeBufferPointer(rebasing: bytes.elements[start..<Int(ends[place])])
  }

  /// Bytes of memory that were ever written to.
  var memoryByteCount: Int { ends.capacity * 4 + bytes.capacity }
}
