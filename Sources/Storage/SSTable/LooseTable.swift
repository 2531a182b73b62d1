/// A table that is of no store: a file on the disk, or bytes in memory.
public struct LooseTable: Sendable {
  let fileSystem: any FileSystem
  /// Relative to the file system's root.
  let name: String

  /// A file by its path.
  public init(path: String) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { path.utf8[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
    fileSystem = POSIXFileSystem(root: folder)
    name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  /// Bytes that are to be a table, with the name that errors are to have.
  package init(name: String, bytes: [UInt8]) throws(StorageError) {
    let memory = MemoryFileSystem()
    try memory.createDirectory(folderName(of: name))
    try memory.create(name).write(bytes, at: 0)
    (fileSystem, self.name) = (memory, name)
  }

  /// What the table says of itself; looks at nothing else.
  func properties() throws(StorageError) -> TableProperties { try opened().properties() }

  /// Looks at every checksum.
  ///
  /// - Returns: what the table says of itself.
  package func verified() throws(StorageError) -> TableProperties {
    let table = try opened()
    do throws(StorageError) { try table.verify() } catch { throw named(error) }
    return try properties()
  }

  private func opened() throws(StorageError) -> Table {
    do throws(StorageError) {
      return try Table.open(file: fileSystem.open(name), number: 0, cache: BlockCache(byteCountMax: 1 << 20))
    } catch {
      throw named(error)
    }
  }

  private func named(_ error: StorageError) -> StorageError {
    fileSystem is MemoryFileSystem ? error : error.under(fileSystem.rootPath)
  }
}
