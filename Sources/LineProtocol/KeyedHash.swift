internal import CShims

/// A hash of bytes that come from strangers, under a key that they cannot know.
///
/// It multiplies 16 bytes a step into 128 bits and folds them, as wyhash and the Go runtime do.
package struct KeyedHash: Sendable {
  private let key: UInt64

  /// Give a key only to repeat a run.
  package init(key: UInt64 = .random(in: 0...(.max))) { self.key = key }

  /// The hash of `bytes`; each of its bits is as good as another.
  ///
  /// - Parameter former: the hash of what lies before them, where that is part of the same thing.
  @inline(__always) package func hash(_ bytes: UnsafeBufferPointer<UInt8>, after former: UInt64 = 0) -> UInt64 {
    guard var position = bytes.baseAddress else { return key ^ former }
    var left = bytes.count
    var state = key ^ former ^ (UInt64(truncatingIfNeeded: left) &* Self.lengthFactor)
    // Each load reads within the bytes that are left.
    while left >= 16 {
      state = unsafe Self.fold(CShims_load8(position) ^ state, CShims_load8(position + 8) ^ Self.secret)
      unsafe position += 16
      left -= 16
    }
    var tail: (UInt64, UInt64) = (0, 0)
    if left >= 8 {
      tail.0 = unsafe CShims_load8(position)
      tail.1 = unsafe CShims_load8(position + left - 8)
    } else {
      for index in 0..<left { tail.0 = unsafe tail.0 << 8 | UInt64(position[index]) }
    }
    return Self.fold(Self.fold(tail.0 ^ state, tail.1 ^ Self.secret) ^ key, Self.lengthFactor)
  }

  private static let secret: UInt64 = 0xa076_1d64_78bd_642f
  private static let lengthFactor: UInt64 = 0xe703_7ed1_a0b4_28db

  @inline(__always) private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return high ^ low
  }
}
