import CZlib

/// Why a compressed body is refused.
enum InflateError: Error {
  case malformed
  case tooLarge
  /// There is no memory for it now.
  case crowdedOut
}

/// Unpacks a gzip or zlib body through zlib; the result is at most `byteCountMax` bytes, whatever the ratio.
///
/// - Parameter hold: asked before memory for so many bytes is taken; `false` is `.crowdedOut`.
func inflate(
  _ body: [UInt8], byteCountMax: Int, hold: (Int) -> Bool = { _ in true }
) throws(InflateError) -> [UInt8] {
  var stream = unsafe z_stream()
  // 32: gzip or zlib, told by the header.
  guard
    unsafe inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
  else { throw .malformed }
  defer { unsafe inflateEnd(&stream) }
  var out: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 256 << 10)
  var input = body
  var status = Z_OK
  unsafe stream.avail_in = UInt32(clamping: input.count)
  while status != Z_STREAM_END {
    let consumed = unsafe body.count - Int(stream.avail_in)
    let chunkCount = chunk.count
    status = unsafe input.withUnsafeMutableBufferPointer { source in
      unsafe chunk.withUnsafeMutableBufferPointer { target in
        // Both pointers are set anew for each call, because the arrays are only held for its length.
        unsafe stream.next_in = source.baseAddress.map { unsafe $0 + consumed }
        unsafe stream.next_out = target.baseAddress
        unsafe stream.avail_out = UInt32(chunkCount)
        return unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
      }
    }
    let produced = unsafe chunkCount - Int(stream.avail_out)
    guard status == Z_OK || status == Z_STREAM_END else { throw .malformed }
    guard out.count + produced <= byteCountMax else { throw .tooLarge }
    if out.count + produced > out.capacity {
      let wanted = min(max(out.capacity * 2, out.count + produced), byteCountMax)
      guard hold(wanted) else { throw .crowdedOut }
      out.reserveCapacity(wanted)
    }
    out.append(contentsOf: chunk[..<produced])
    let hasInput = unsafe stream.avail_in > 0
    // Several members one after another are one body.
    if status == Z_STREAM_END, hasInput {
      guard unsafe inflateReset(&stream) == Z_OK else { throw .malformed }
      status = Z_OK
    } else if status == Z_OK, !hasInput, produced == 0 {
      throw .malformed
    }
  }
  return out
}

/// Packs an answer as gzip while it is made; each piece can be unpacked when it is there.
@safe final class GzipStream {
  private let stream: UnsafeMutablePointer<z_stream>

  init?() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let status = unsafe deflateInit2_(
      stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    if status != Z_OK { return nil }
  }

  deinit {
    // Safe also where it was never set up: the state has no address then.
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// The packed form of the next bytes.
  func pack(_ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
    var input = bytes
    var out: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let inputCount = input.count
    unsafe input.withUnsafeMutableBufferPointer { source in
      // The pointers are used within this call alone.
      unsafe stream.pointee.next_in = source.baseAddress
      unsafe stream.pointee.avail_in = UInt32(clamping: inputCount)
      var isFull = true
      while isFull {
        let chunkCount = chunk.count
        unsafe chunk.withUnsafeMutableBufferPointer { target in
          unsafe stream.pointee.next_out = target.baseAddress
          unsafe stream.pointee.avail_out = UInt32(clamping: chunkCount)
          _ = unsafe deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
        }
        let left = unsafe Int(stream.pointee.avail_out)
        out += chunk[..<(chunkCount - left)]
        isFull = left == 0
      }
    }
    return out
  }
}

/// Packs an answer as gzip.
func gzip(_ body: [UInt8]) -> [UInt8]? {
  var stream = unsafe z_stream()
  guard
    unsafe deflateInit2_(
      &stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
  else { return nil }
  defer { unsafe deflateEnd(&stream) }
  var input = body
  let bound = unsafe Int(deflateBound(&stream, UInt(body.count)))
  var out = [UInt8](repeating: 0, count: bound)
  let status = unsafe input.withUnsafeMutableBufferPointer { source in
    unsafe out.withUnsafeMutableBufferPointer { target in
      unsafe stream.next_in = source.baseAddress
      unsafe stream.avail_in = UInt32(clamping: source.count)
      unsafe stream.next_out = target.baseAddress
      unsafe stream.avail_out = UInt32(clamping: target.count)
      return unsafe deflate(&stream, Z_FINISH)
    }
  }
  guard status == Z_STREAM_END else { return nil }
  out.removeLast(unsafe Int(stream.avail_out))
  return out
}
