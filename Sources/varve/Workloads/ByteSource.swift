import Glibc

/// Bytes in memory that several threads read: a mapped file, or what a generator wrote.
///
/// Unchecked: the mapping is made in `init`, never written afterwards, and unmapped when nobody holds it.
@safe final class ByteSource: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  let byteCount: Int
  private let address: UnsafeMutableRawPointer
  private let byteCountMapped: Int

  /// Maps a file.
  ///
  /// - Parameter isShared: what others write to it meanwhile is to be seen.
  /// - Throws: `CommandFailure` that names it.
  init(file path: String, isShared: Bool = false) throws {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CommandFailure("cannot open \(path): \(systemErrorText(errno))") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw CommandFailure("cannot read \(path): \(systemErrorText(errno))")
    }
    let count = Int(status.st_size)
    guard count > 0 else { throw CommandFailure("\(path) is empty") }
    let flags = isShared ? MAP_SHARED : MAP_PRIVATE
    guard let base = unsafe mmap(nil, count, PROT_READ, flags, descriptor, 0),
      unsafe base != MAP_FAILED
    else {
      throw CommandFailure("cannot map \(path): \(systemErrorText(errno))")
    }
    (unsafe address, byteCountMapped) = unsafe (base, count)
    unsafe bytes = UnsafeRawBufferPointer(start: base, count: count)
    byteCount = count
  }

  /// Generates a workload into memory.
  init(_ workload: Workload) throws {
    // Addresses only: pages come as they are written.
    let room = 1 << 36
    guard
      let base = unsafe mmap(
        nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      unsafe base != MAP_FAILED
    else { throw CommandFailure("cannot make room for a workload: \(systemErrorText(errno))") }
    var generator = WorkloadGenerator(workload)
    var count = 0
    try generator.run { piece in
      guard count + piece.count <= room else {
        throw CommandFailure("the workload is larger than \(room) bytes")
      }
      // Inside the room by the check above.
      unsafe UnsafeMutableRawBufferPointer(start: base + count, count: piece.count).copyBytes(from: piece)
      count += piece.count
    }
    (unsafe address, byteCountMapped) = unsafe (base, room)
    unsafe bytes = UnsafeRawBufferPointer(start: base, count: count)
    byteCount = count
  }

  deinit { unsafe munmap(address, byteCountMapped) }

  /// The byte after the last newline at or before `offset`, or after the next one where a line is that long.
  func lineStart(near offset: Int) -> Int {
    if offset <= 0 { return 0 }
    if offset >= byteCount { return byteCount }
    var end = offset
    while unsafe bytes[end - 1] != 0x0a {
      end += 1
      if end == byteCount { break }
    }
    return end
  }

  /// Newlines in a range, and one more for a last line without.
  func lineCount(_ range: Range<Int>) -> Int {
    var (count, offset) = (0, range.lowerBound)
    while offset < range.upperBound, let base = unsafe bytes.baseAddress {
      // Inside the range by the loop's condition.
      guard let hit = unsafe memchr(base + offset, 0x0a, range.upperBound - offset) else { return count + 1 }
      offset = unsafe UnsafeRawPointer(hit) - base + 1
      count += 1
    }
    return count
  }
}
