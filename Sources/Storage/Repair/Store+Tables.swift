extension Store {
  /// A store without a disk that holds copies of some tables, for questions to files: what each is of it says itself, as when a manifest that
  /// is lost is made again. Lines may be written to it afterwards.
  ///
  /// - Parameters:
  ///   - files: which may be of several databases and windows; read whole into memory.
  ///   - database: what they are all to be in, under the names that their policies had.
  /// - Throws: `.corrupt` with file and offset for what is no table.
  public static func inMemory(
    tables files: [LooseTable], database: String, options: StoreOptions = StoreOptions()
  ) throws(StorageError) -> Store {
    let memory = MemoryFileSystem()
    var keyspaces: [String: KeyspaceID] = [:]
    for (index, file) in files.enumerated() {
      let properties = try file.properties()
      let policy = properties.database + "/" + properties.policy
      let keyspace = keyspaces[policy] ?? KeyspaceID(UInt32(keyspaces.count + 1))
      keyspaces[policy] = keyspace
      try memory.createDirectory("tables")
      try memory.createDirectory(tableFolderName(of: keyspace))
      try file.fileSystem.copy(
        file.name, to: memory,
        as: tableFileName(keyspace: keyspace, windowStart: properties.windowStart, number: UInt64(index + 1)))
    }
    var rebuild = ManifestRebuild(ManifestState(), fileSystem: memory)
    try rebuild.run()
    if let loss = rebuild.losses.first { throw StorageError(.corrupt, "\(loss.file): \(loss.what)") }
    var state = rebuild.state
    state.rename(to: database)
    try Manifest.write(state, number: 1, to: memory)
    return try inMemory(fileSystem: memory, options: options)
  }
}

extension ManifestState {
  /// Puts all keyspaces into one database; of policies that have one name the later ones get a number.
  fileprivate mutating func rename(to database: String) {
    var names = Set<String>()
    for index in keyspaces.indices {
      let policy = keyspaces[index].policy
      var name = policy
      while !names.insert(name).inserted { name = "\(policy)_\(keyspaces[index].id.number)" }
      keyspaces[index].database = database
      keyspaces[index].policy = name
      keyspaces[index].isDefault = index == 0
    }
    databases = keyspaces.isEmpty ? [] : [database]
  }
}
