import CZlib
import Glibc

/// Reads a file or standard input from front to back; what begins as gzip is inflated. Belongs to one thread.
@safe final class InputFile {
  /// As the user named it.
  let name: String
  /// Bytes of the file, where it is one: for progress.
  let storedByteCount: Int?
  /// Bytes of the file that are read.
  private(set) var storedOffset = 0
  private let descriptor: Int32
  /// Owned; `nil` where the file is plain.
  private var inflater: UnsafeMutablePointer<z_stream>?
  private var stored: [UInt8]
  private var storedStart = 0
  private var storedEnd = 0
  private var isAtEnd = false
  /// What was looked at and is still to be read.
  private var unread: [UInt8] = []

  /// Opens a file; `-` is standard input.
  init(_ name: String) throws {
    self.name = name
    descriptor = name == "-" ? STDIN_FILENO : unsafe open(name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure("cannot open \(name): \(systemErrorText(errno))") }
    var status = stat()
    let isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    storedByteCount = isRegular ? Int(status.st_size) : nil
    stored = [UInt8](repeating: 0, count: 1 << 18)
    while storedEnd < 2, !isAtEnd { try fill() }
    if storedEnd >= 2, stored[0] == 0x1f, stored[1] == 0x8b { try beginInflating() }
  }

  deinit {
    if let inflater = unsafe inflater {
      unsafe inflateEnd(inflater)
      unsafe inflater.deallocate()
    }
    if name != "-" { close(descriptor) }
  }

  /// Reads up to `buffer.count` bytes, 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    if !unread.isEmpty {
      let count = min(buffer.count, unread.count)
      unsafe buffer.copyBytes(from: unread[..<count])
      unread.removeFirst(count)
      return count
    }
    if unsafe inflater != nil { return try unsafe inflate(into: buffer) }
    if storedStart == storedEnd, !isAtEnd { try fill() }
    let count = min(buffer.count, storedEnd - storedStart)
    unsafe buffer.copyBytes(from: stored[storedStart..<storedStart + count])
    storedStart += count
    return count
  }

  /// Up to so many bytes, fewer only at the end.
  func read(_ countMax: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: countMax)
    var filled = 0
    while filled < countMax {
      let count = try unsafe bytes.withUnsafeMutableBytes { room in
        // `filled` is below the count.
        try unsafe read(into: UnsafeMutableRawBufferPointer(rebasing: room[filled...]))
      }
      if count == 0 { break }
      filled += count
    }
    bytes.removeLast(countMax - filled)
    return bytes
  }

  /// The first bytes, which are still to be read; the mark that some programs put in front of text in UTF-8 is not.
  func peek(_ count: Int) throws -> [UInt8] {
    unread = try read(count)
    if unread.starts(with: [0xef, 0xbb, 0xbf]) { unread.removeFirst(3) }
    return unread
  }

  /// All that is not read yet.
  func readAll() throws -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let piece = try read(1 << 20)
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }

  /// Reads more of the file behind what is not yet taken.
  private func fill() throws {
    if storedStart == storedEnd { (storedStart, storedEnd) = (0, 0) }
    let count = unsafe stored.withUnsafeMutableBytes { bytes in
      // Room behind `storedEnd`; it is never full, for all that is there is taken first.
      unsafe Glibc.read(descriptor, bytes.baseAddress.map { unsafe $0 + storedEnd }, bytes.count - storedEnd)
    }
    let code = errno
    if count < 0 {
      // What is read is no end: the caller asks again.
      if code == EINTR, Interrupt.wasPressed { throw Interrupted() }
      if code == EINTR { return try fill() }
      throw CommandFailure("cannot read \(name): \(systemErrorText(code))")
    }
    storedEnd += count
    storedOffset += count
    isAtEnd = count == 0
  }

  // MARK: gzip

  private func beginInflating() throws {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // 16 asks for gzip's header and checksum. `inflateInit2` is a macro over this.
    guard unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else {
      unsafe stream.deallocate()
      throw CommandFailure("cannot inflate \(name)")
    }
    unsafe inflater = stream
  }

  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let stream = unsafe inflater, unsafe !buffer.isEmpty else { return 0 }
    unsafe stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_out = UInt32(min(buffer.count, 1 << 30))
    let room = Int(unsafe stream.pointee.avail_out)
    while unsafe stream.pointee.avail_out == room {
      if storedStart == storedEnd {
        if !isAtEnd { try fill() }
        if isAtEnd {
          // A file ends after a member, where the next one would begin.
          guard unsafe stream.pointee.total_in == 0 else {
            throw CommandFailure("\(name) is cut: its gzip stream has no end")
          }
          return 0
        }
      }
      let status = unsafe stored.withUnsafeMutableBytes { bytes in
        // The unread bytes; `inflate` moves `next_in` past what it takes.
        unsafe stream.pointee.next_in = bytes.baseAddress.map {
          unsafe ($0 + storedStart).assumingMemoryBound(to: UInt8.self)
        }
        unsafe stream.pointee.avail_in = UInt32(storedEnd - storedStart)
        let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
        storedStart = storedEnd - Int(unsafe stream.pointee.avail_in)
        return status
      }
      switch status {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: unsafe inflateReset(stream)
      default:
        throw CommandFailure(
          "\(name) is damaged: not gzip at byte \(storedOffset - (storedEnd - storedStart))")
      }
    }
    return unsafe room - Int(stream.pointee.avail_out)
  }
}
