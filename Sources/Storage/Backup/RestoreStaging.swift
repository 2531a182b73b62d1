/// A backup on its way into a store: a folder of the store's own disk that is opened as a store by itself, so that what the log of
/// the backup holds comes to lie in tables.
struct RestoreStaging {
  let source: any FileSystem
  let staged: any FileSystem
  private let fileSystem: any FileSystem
  private let folder: String

  /// - Parameters:
  ///   - source: the backup.
  ///   - folder: of `fileSystem`; whatever is in it goes.
  init(source: any FileSystem, fileSystem: any FileSystem, folder: String) {
    self.source = source
    self.fileSystem = fileSystem
    self.folder = folder
    staged = fileSystem.rooted(at: fileSystem.path(of: folder))
  }

  /// What the backup is.
  func checkpoint() throws(StorageError) -> (state: ManifestState, list: CheckpointList) {
    do throws(StorageError) {
      guard let (list, _) = try CheckpointList.read(from: source) else {
        throw StorageError(
          .invalid,
          "\(source.rootPath) is no backup, or not any more: a store that was opened is to be backed up first, "
            + "with varve backup --data")
      }
      return (try Manifest.open(fileSystem: source, isReadOnly: true).state, list)
    } catch {
      throw error.under(source.rootPath)
    }
  }

  /// Checks every checksum of a part of the backup, and puts all of it into tables of the folder.
  ///
  /// - Returns: what the folder then holds.
  func flushed(
    _ state: ManifestState, list: CheckpointList, wallClock: @escaping @Sendable () -> Int64
  ) throws(StorageError) -> ManifestState {
    try remove()
    do throws(StorageError) {
      try fill(state, list)
      for (name, table) in state.tableFiles {
        try Table.open(file: staged.open(name), state: table, cache: BlockCache(byteCountMax: 1 << 20))
          .verify()
      }
      let store = try Store.open(fileSystem: staged, options: Self.options, wallClock: wallClock)
      do throws(StorageError) {
        try store.flush()
      } catch {
        // Why it could not be flushed is what the caller is to hear.
        do throws(StorageError) { try store.close() } catch {}
        throw error
      }
      try store.close()
      return store.publisher.manifest.state
    } catch {
      throw error.under(source.rootPath)
    }
  }

  func remove() throws(StorageError) { try fileSystem.removeFolder(folder) }

  private func fill(_ state: ManifestState, _ list: CheckpointList) throws(StorageError) {
    try staged.createDirectory(LogFormat.directory)
    for keyspace in state.keyspaces { try staged.createDirectory(tableFolderName(of: keyspace.id)) }
    for name in state.tableFiles.map(\.name) + list.segments.map(LogFormat.name) {
      _ = try source.transfer(name, to: staged, as: name)
    }
    try Manifest.write(state, number: 1, to: staged)
  }

  /// A store that is filled once, flushed and thrown away.
  private static var options: StoreOptions {
    var options = StoreOptions()
    options.memoryByteCount = 128 << 20
    options.segmentByteCount = 1 << 20
    options.cardinality = .none
    options.reserveByteCount = 0
    options.compactorCount = 0
    options.sync = .none
    return options
  }
}
