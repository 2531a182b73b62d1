import CShims

/// A text of at most 16 bytes as numbers: two are told apart without a look at memory, or at how long they are.
struct ShortText: Equatable {
  static let byteCountMax = 16

  private let head: UInt64
  private let tail: UInt64
  let byteCount: Int

  /// Of a longer text it is the length alone.
  @inline(__always) init(_ text: UnsafeBufferPointer<UInt8>) {
    byteCount = text.count
    guard let start = text.baseAddress, byteCount > 0, byteCount <= Self.byteCountMax else {
      (head, tail) = (0, 0)
      return
    }
    // Loads lie within the text and may overlap: with the length, they tell it whole.
    if byteCount >= 8 {
      (head, tail) = unsafe (CShims_load8(start), CShims_load8(start + byteCount - 8))
    } else if byteCount >= 4 {
      (head, tail) = unsafe (UInt64(CShims_load4(start)) | UInt64(CShims_load4(start + byteCount - 4)) << 32, 0)
    } else {
      (head, tail) = unsafe (UInt64(start[0]) | UInt64(start[byteCount / 2]) << 8 | UInt64(start[byteCount - 1]) << 16, 0)
    }
  }

  /// No text at all.
  static let none = ShortText()

  private init() { (head, tail, byteCount) = (0, 0, -1) }

  var isWhole: Bool { byteCount <= Self.byteCountMax }

  /// Some bits, spread over all: for a place in a small table of what came before.
  @inline(__always) var spread: UInt64 {
    (head ^ UInt64(byteCount)) &* 0x9e37_79b9_7f4a_7c15 &+ tail &* 0xd6e8_feb8_6659_fd93
  }
}
