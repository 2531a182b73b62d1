/// The only way to a disk. Four implementations pass one suite: POSIX; memory; memory that forgets what was not synced;
/// any of these failing at the *n*-th call.
///
/// Names are relative to one root directory, with `/` between folders ("wal/0000000017.wal"). Safe from several threads.
package protocol FileSystem: AnyObject, Sendable {
  /// Makes an empty file for writing and reading; one that exists is an error (`.exists`).
  func create(_ name: String) throws(StorageError) -> any StoredFile
  /// Opens a file for reading.
  func open(_ name: String) throws(StorageError) -> any StoredFile
  /// Opens a file for reading and for writing in place (cutting a torn tail, appending to the manifest).
  func openForWriting(_ name: String) throws(StorageError) -> any StoredFile
  /// Makes a folder and those above it; one that exists is fine. The root's own name survives a power loss from then on.
  func createDirectory(_ name: String) throws(StorageError)
  /// Makes the names in a folder survive a power loss ("" is the root).
  func syncDirectory(_ name: String) throws(StorageError)
  /// The names in a folder, files and folders, unsorted; a folder that is not there is `.notFound`.
  func list(_ directory: String) throws(StorageError) -> [String]
  /// Whether a file or a folder of the name exists.
  func exists(_ name: String) throws(StorageError) -> Bool
  /// Replaces `to`.
  func rename(_ from: String, to: String) throws(StorageError)
  /// Unlinks a file; one that is not there is fine.
  func remove(_ name: String) throws(StorageError)
  /// Removes an empty folder; one that is not there is fine.
  func removeDirectory(_ name: String) throws(StorageError)
  /// A second name for a file, in a directory that need not lie under the root: a path as `path(of:)` gives it.
  ///
  /// - Returns: `false` where the directory is on another device, or takes no links: nothing was made then, and a copy has to do.
  func link(_ name: String, toPath path: String) throws(StorageError) -> Bool
  /// Takes the exclusive lock file `LOCK`, which says who holds it; `.locked` names the holder. Held until the result goes.
  func lock(_ name: String) throws(StorageError) -> any FileLock
  /// Free and total bytes of the disk.
  func space() throws(StorageError) -> (free: UInt64, total: UInt64)
  /// The root as the operator knows it, for messages.
  var rootPath: String { get }
  /// Where a name lies, as `link` and `rooted` take it ("" is the root).
  func path(of name: String) -> String
  /// The directory at a path, which need not lie under the root, nor be there, as the root of a file system of the same kind.
  func rooted(at path: String) -> any FileSystem
  /// Whether a path is the root's, or lies below it, also where links lead there.
  func holds(path: String) -> Bool
}

/// Held while the object lives.
package protocol FileLock: AnyObject, Sendable {}

/// One open file. Reads may come from several threads; writes from one.
package protocol StoredFile: AnyObject, Sendable {
  var name: String { get }
  /// Its length now.
  func byteCount() throws(StorageError) -> UInt64
  /// Reads exactly `buffer.count` bytes; fewer is `.corrupt` with the offset.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError)
  /// Writes all of `bytes` at `offset`; the file grows where needed.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError)
  /// Makes sure that writes below `byteCount` cannot fail for want of space; new bytes read as zeros, the length grows.
  func allocate(_ byteCount: UInt64) throws(StorageError)
  /// Cuts or extends the file.
  func truncate(to byteCount: UInt64) throws(StorageError)
  /// Makes what was written survive a power loss (`fdatasync`). A failure is final for the file.
  func sync() throws(StorageError)
  /// Tells the system that the range will not be read soon again. A hint.
  func forget(_ range: Range<UInt64>)
  /// Closes; further calls are errors. Also done when the object goes.
  func close() throws(StorageError)
}
