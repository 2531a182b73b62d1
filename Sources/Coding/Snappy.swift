import CSnappy

/// Snappy's raw format (no framing), through the C library.
enum Snappy {
  /// Appends the compressed bytes to `output` where they are at least an eighth shorter; else appends nothing
  /// and returns false.
  static func compress(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) -> Bool {
    let start = output.count
    let bound = snappy_max_compressed_length(bytes.count)
    var byteCount = 0
    output.append(addingCapacity: bound) { span in
      // The library writes at most `bound` bytes, which is the capacity asked for, and reads `count`.
      unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
        var length = bound
        let status = unsafe snappy_compress(
          bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count,
          UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self), &length)
        byteCount = status == SNAPPY_OK ? length : .max
        initializedCount = status == SNAPPY_OK ? length : 0
      }
    }
    if byteCount <= bytes.count - bytes.count / 8 && byteCount < bytes.count { return true }
    output.removeLast(output.count - start)
    return false
  }

  /// Appends the uncompressed bytes to `output`.
  ///
  /// No input makes more than 64 bytes of 3 (a copy element with a 16-bit offset), so a stated length beyond
  /// 22 times the input is refused before memory is taken.
  static func uncompress(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) throws(CodingError) {
    let input = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
    var length = 0
    guard unsafe snappy_uncompressed_length(input, bytes.count, &length) == SNAPPY_OK,
      length <= 22 * bytes.count
    else {
      throw .malformed(offset: 0, expected: "a Snappy length of at most 22 times the \(bytes.count) bytes")
    }
    var isWhole = false
    output.append(addingCapacity: length) { span in
      // The library checks every element against both lengths; all `length` bytes are written if it succeeds.
      unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
        var written = length
        let status = unsafe snappy_uncompress(
          input, bytes.count,
          UnsafeMutableRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self),
          &written)
        isWhole = status == SNAPPY_OK && written == length
        initializedCount = isWhole ? length : 0
      }
    }
    if !isWhole { throw .malformed(offset: 0, expected: "whole Snappy elements") }
  }
}
