package import Storage

/// The files of a store by name, to be damaged and made again.
package struct StoreImage: Sendable {
  package var files: [String: [UInt8]]

  package init(_ fileSystem: any FileSystem) throws {
    files = [:]
    try Self.add("", fileSystem, &files)
  }

  private static func add(_ folder: String, _ fileSystem: any FileSystem, _ files: inout [String: [UInt8]])
    throws
  {
    for entry in try fileSystem.list(folder) {
      let name = folder.isEmpty ? entry : folder + "/" + entry
      do {
        files[name] = try fileSystem.open(name).bytes()
      } catch {
        try add(name, fileSystem, &files)
      }
    }
  }

  /// A file system in memory with these files.
  package func make() throws -> MemoryFileSystem {
    let fileSystem = MemoryFileSystem()
    for (name, bytes) in files {
      let folder = name.split(separator: "/").dropLast().joined(separator: "/")
      if !folder.isEmpty { try fileSystem.createDirectory(folder) }
      try fileSystem.create(name).write(bytes, at: 0)
    }
    return fileSystem
  }

  package func flipping(_ bit: Int, of name: String) -> StoreImage {
    var image = self
    image.files[name]?[bit >> 3] ^= 1 << UInt8(bit & 7)
    return image
  }

  package func cutting(_ name: String, to byteCount: Int) -> StoreImage {
    var image = self
    image.files[name] = image.files[name].map { Array($0[..<byteCount]) }
    return image
  }
}
