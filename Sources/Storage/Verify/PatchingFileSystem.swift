/// Another file system, read on past what its disk refuses: the bytes of such a place are made up, so that no checksum over them
/// holds, and the place is noted. What then finds damage finds it there too.
///
/// A file that cannot be *opened* is an error here as it is there: it may be another user's.
final class PatchingFileSystem: FileSystem {
  /// What a disk gives or refuses at once.
  static let sectorByteCount = 4_096
  /// Neither zeros, which mean nothing was written, nor the end of a line.
  static let patch: UInt8 = 0xBD

  private struct Place {
    var range: Range<UInt64>
    var detail: String
  }
  private let lower: any FileSystem
  private let places = Lock<[String: [Place]]>([:])

  init(over lower: any FileSystem) { self.lower = lower }

  /// What could not be read so far, by file and offset.
  var unreadable: [StorageError] {
    places.withLock { places in
      places.keys.sorted().flatMap { name in
        (places[name] ?? []).map { place in
          StorageError(
            .corrupt, file: name, offset: place.range.lowerBound,
            "\(place.range.count) bytes cannot be read: \(place.detail)")
        }
      }
    }
  }

  /// Whether a file is one of which something could not be read.
  func isUnreadable(_ name: String) -> Bool { places.withLock { $0[name] != nil } }

  fileprivate func note(_ name: String, _ range: Range<UInt64>, _ error: StorageError) {
    places.withLock { places in
      var found = places[name] ?? []
      if let index = found.firstIndex(where: {
        $0.range.lowerBound <= range.upperBound && $0.range.upperBound >= range.lowerBound
      }) {
        let known = found[index].range
        found[index].range =
          min(known.lowerBound, range.lowerBound)..<max(known.upperBound, range.upperBound)
      } else {
        found.append(Place(range: range, detail: error.detail))
      }
      places[name] = found.sorted { $0.range.lowerBound < $1.range.lowerBound }
    }
  }

  func open(_ name: String) throws(StorageError) -> any StoredFile {
    PatchingFile(try lower.open(name), self)
  }

  var rootPath: String { lower.rootPath }
  func create(_ name: String) throws(StorageError) -> any StoredFile { try lower.create(name) }
  func openForWriting(_ name: String) throws(StorageError) -> any StoredFile {
    try lower.openForWriting(name)
  }
  func createDirectory(_ name: String) throws(StorageError) { try lower.createDirectory(name) }
  func syncDirectory(_ name: String) throws(StorageError) { try lower.syncDirectory(name) }
  func list(_ directory: String) throws(StorageError) -> [String] { try lower.list(directory) }
  func exists(_ name: String) throws(StorageError) -> Bool { try lower.exists(name) }
  func rename(_ from: String, to: String) throws(StorageError) { try lower.rename(from, to: to) }
  func remove(_ name: String) throws(StorageError) { try lower.remove(name) }
  func removeDirectory(_ name: String) throws(StorageError) { try lower.removeDirectory(name) }
  func link(_ name: String, toPath path: String) throws(StorageError) -> Bool {
    try lower.link(name, toPath: path)
  }
  func lock(_ name: String) throws(StorageError) -> any FileLock { try lower.lock(name) }
  func space() throws(StorageError) -> (free: UInt64, total: UInt64) { try lower.space() }
  func path(of name: String) -> String { lower.path(of: name) }
  func rooted(at path: String) -> any FileSystem { lower.rooted(at: path) }
  func holds(path: String) -> Bool { lower.holds(path: path) }
}

/// A file read a sector at a time where the disk refuses more.
private final class PatchingFile: StoredFile {
  private let lower: any StoredFile
  private let fileSystem: PatchingFileSystem

  init(_ lower: any StoredFile, _ fileSystem: PatchingFileSystem) {
    self.lower = lower
    self.fileSystem = fileSystem
  }

  var name: String { lower.name }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) {
    do throws(StorageError) {
      return try unsafe lower.read(at: offset, into: buffer)
    } catch {
      if error.code != .io { throw error }
    }
    var done = 0
    while done < buffer.count {
      let place = offset + UInt64(done)
      let sector = PatchingFileSystem.sectorByteCount
      let count = min(buffer.count - done, sector - Int(place % UInt64(sector)))
      // The piece lies in the buffer: `count` is at most what is left of it.
      let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + count])
      do throws(StorageError) {
        try unsafe lower.read(at: place, into: piece)
      } catch {
        if error.code != .io { throw error }
        fileSystem.note(name, place..<place + UInt64(count), error)
        for index in 0..<count { unsafe piece[index] = PatchingFileSystem.patch }
      }
      done += count
    }
  }

  func byteCount() throws(StorageError) -> UInt64 { try lower.byteCount() }
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
    try unsafe lower.write(bytes, at: offset)
  }
  func allocate(_ byteCount: UInt64) throws(StorageError) { try lower.allocate(byteCount) }
  func truncate(to byteCount: UInt64) throws(StorageError) { try lower.truncate(to: byteCount) }
  func sync() throws(StorageError) { try lower.sync() }
  func forget(_ range: Range<UInt64>) { lower.forget(range) }
  func close() throws(StorageError) { try lower.close() }
}
