import CZlib
import Glibc

/// Where exported text goes: standard output, or a file that is there under its name only when all of it is; compressed where the name ends
/// in `.gz`. What is there and is no regular file, a device, a pipe or a link, is written to as it is, never replaced. Belongs to one thread.
@safe final class OutputFile {
  private let path: String
  private let descriptor: Int32
  /// Owned; `nil` where nothing is compressed.
  private var deflater: UnsafeMutablePointer<z_stream>?
  private var packed = [UInt8](repeating: 0, count: 1 << 18)
  private var isFinished = false
  /// What the file is called until it is whole; `nil` where it is written to under its name.
  private let partPath: String?

  /// - Parameter path: `-` is standard output.
  init(_ path: String) throws {
    self.path = path
    var status = stat()
    let isThere = unsafe path == "-" || lstat(path, &status) == 0
    partPath = isThere && status.st_mode & S_IFMT != S_IFREG ? nil : path + ".part"
    descriptor =
      path == "-"
      ? STDOUT_FILENO : unsafe open(partPath ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CommandFailure("cannot write \(path): \(systemErrorText(errno))") }
    if path.hasSuffix(".gz") { try beginDeflating() }
  }

  deinit {
    if let deflater = unsafe deflater {
      unsafe deflateEnd(deflater)
      unsafe deflater.deallocate()
    }
    guard path != "-" else { return }
    close(descriptor)
    if !isFinished, let partPath { unsafe unlink(partPath) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    guard unsafe deflater != nil else { return try unsafe writeAll(bytes, to: descriptor, name: path) }
    try unsafe deflate(bytes, Z_NO_FLUSH)
  }

  /// Writes what is left, and gives the file its name.
  func finish() throws {
    if unsafe deflater != nil { try unsafe deflate(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH) }
    guard let partPath else { return }
    guard fsync(descriptor) == 0, unsafe rename(partPath, path) == 0 else {
      throw CommandFailure("cannot write \(path): \(systemErrorText(errno))")
    }
    isFinished = true
  }

  private func beginDeflating() throws {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 16 asks for gzip's header. `deflateInit2` is a macro over this; 6 is zlib's own choice between speed and size.
    let code = unsafe deflateInit2_(
      stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else {
      unsafe stream.deallocate()
      throw CommandFailure("cannot compress \(path)")
    }
    unsafe deflater = stream
  }

  private func deflate(_ bytes: UnsafeRawBufferPointer, _ flush: Int32) throws {
    guard let stream = unsafe deflater else { return }
    // zlib reads the bytes and does not keep them.
    unsafe stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
    unsafe stream.pointee.avail_in = UInt32(bytes.count)
    var isFull = true
    while isFull {
      let count = unsafe packed.withUnsafeMutableBytes { room in
        unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(room.count)
        unsafe _ = CZlib.deflate(stream, flush)
        return unsafe room.count - Int(stream.pointee.avail_out)
      }
      isFull = count == packed.count
      try unsafe packed.withUnsafeBytes { room in
        try unsafe writeAll(UnsafeRawBufferPointer(rebasing: room[..<count]), to: descriptor, name: path)
      }
    }
  }
}
