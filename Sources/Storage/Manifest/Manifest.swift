/// The log of what the store is made of: databases, keyspaces, windows, runs and tables. See Manifest.md.
///
/// What must hold:
/// - an edit is in `state` only after its line is synced;
/// - `CURRENT` names a file whose first line was synced under a name that was synced;
/// - after a write or sync that failed nothing more is written to that file, so that no later line stands behind a lost one.
package final class Manifest: Sendable {
  /// When a new file is begun: past `byteCountMin` and past `growthMin` times its first line.
  package struct Options: Sendable {
    package var byteCountMin = 4 << 20
    package var growthMin = 4

    package init() {}
  }

  static let currentName = "CURRENT"
  static let currentNextName = "CURRENT.next"

  struct Writer {
    /// `nil` where it was opened for reading.
    var file: (any StoredFile)?
    var number: UInt64
    /// Where the next line goes.
    var byteCount: Int
    var headByteCount: Int
    /// Why no more edits are taken.
    var failure: StorageError?
    /// Why the last new file could not be begun; the old one serves on.
    var rotationFailure: StorageError?
    /// No new file is tried below this length.
    var rotationByteCountMin = 0
  }

  let fileSystem: any FileSystem
  let options: Options
  private let writer: Lock<Writer>
  private let published: Lock<ManifestState>

  init(fileSystem: any FileSystem, options: Options, writer: Writer, state: ManifestState) {
    self.fileSystem = fileSystem
    self.options = options
    self.writer = Lock(writer)
    published = Lock(state)
  }

  /// All that is known and synced. Cheap: a copy of references.
  package var state: ManifestState { published.withLock { $0 } }

  /// The number of the file in force.
  package var number: UInt64 { writer.withLock { $0.number } }

  /// Why edits are refused; `nil` while they are taken.
  package var failure: StorageError? { writer.withLock { $0.failure } }

  /// Why the file in force is longer than it should be, where the last try to begin a new one failed.
  package var rotationFailure: StorageError? { writer.withLock { $0.rotationFailure } }

  /// "MANIFEST-0000000005".
  package static func fileName(_ number: UInt64) -> String { "MANIFEST-" + paddedNumber(number) }

  /// Applies edits that take effect together, writes them as one line and syncs it; one caller at a time.
  ///
  /// - Throws: `.corrupt` where an edit does not fit the state, `.full` where the disk has no room: nothing has changed then and
  ///   later edits are taken. `.io` is final: whether the line is there is known only after a restart.
  package func append(_ edits: [Edit]) throws(StorageError) {
    if edits.isEmpty { return }
    try writer.withLock { writer throws(StorageError) in
      guard let file = writer.file else {
        throw StorageError(.invalid, file: Self.fileName(writer.number), "the store is open for reading")
      }
      if let failure = writer.failure {
        throw StorageError(.io, file: file.name, "no more edits are taken since: \(failure.detail); restart to recover")
      }
      var next = state
      for edit in edits { try next.apply(edit) }
      try write(try ManifestLine.encode(json: ManifestEdits(edits: edits)), to: file, &writer)
      published.withLock { $0 = next }
      rotateIfLong(&writer, state: next)
    }
  }

  /// Begins a new file now, whatever the length of the one in force.
  package func rotate() throws(StorageError) {
    try writer.withLock { writer throws(StorageError) in
      guard writer.file != nil, writer.failure == nil else { return }
      try rotate(&writer, state: state)
    }
  }

  private func write(_ line: [UInt8], to file: any StoredFile, _ writer: inout Writer) throws(StorageError) {
    do throws(StorageError) {
      try file.write(line, at: UInt64(writer.byteCount))
    } catch where error.code == .full {
      // What was written of the line must not stand before the next one.
      do throws(StorageError) {
        try file.truncate(to: UInt64(writer.byteCount))
      } catch let cutError {
        writer.failure = cutError
      }
      throw error
    } catch {
      writer.failure = error
      throw error
    }
    do throws(StorageError) {
      try file.sync()
    } catch {
      writer.failure = error
      throw StorageError(.io, file: error.file, error.detail)
    }
    writer.byteCount += line.count
  }

  private func rotateIfLong(_ writer: inout Writer, state: ManifestState) {
    guard writer.byteCount > max(options.byteCountMin, writer.rotationByteCountMin),
      writer.byteCount > options.growthMin * writer.headByteCount
    else { return }
    do throws(StorageError) {
      try rotate(&writer, state: state)
    } catch {
      // The edit itself is safe in the old file; said in `rotationFailure`, tried again an eighth further on.
      writer.rotationFailure = error
      writer.rotationByteCountMin = writer.byteCount + writer.byteCount / 8
    }
  }
}

/// Ten digits, as file names carry them, so that names sort as numbers do.
func paddedNumber(_ number: UInt64) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, 10 - digits.utf8.count)) + digits
}

/// The number of a name that `paddedNumber` made between a prefix and a suffix; `nil` for any other name.
func fileNumber(of name: String, prefix: String, suffix: String = "") -> UInt64? {
  guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
  let digits = name.dropFirst(prefix.count).dropLast(suffix.count)
  // Only the one spelling: a stray "MANIFEST-5" or "MANIFEST-+000000005" is not ours. The bound leaves room to count on.
  guard let number = UInt64(digits), paddedNumber(number) == digits, number < ManifestState.numberBound else { return nil }
  return number
}
