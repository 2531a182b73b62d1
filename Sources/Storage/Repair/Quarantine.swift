/// The folder of what was found damaged: moved there, never deleted.
struct Quarantine {
  static let directory = "quarantine"

  let fileSystem: any FileSystem

  /// `tables/0000003/x.sst` is set aside as `quarantine/0000003-x.sst`.
  static func name(of file: String) -> String {
    let parts = file.split(separator: "/")
    return directory + "/" + (parts.count > 2 ? parts.dropFirst() : parts[...]).joined(separator: "-")
  }

  /// Moves a file; returns where it is.
  func move(_ file: String) throws(StorageError) -> String {
    let target = try place(of: file)
    try fileSystem.rename(file, to: target)
    try sync(file)
    return target
  }

  /// Copies a file, for one whose place another takes at once.
  func copy(_ file: String) throws(StorageError) -> String {
    let target = try place(of: file)
    let source = try fileSystem.open(file)
    let made = try fileSystem.create(target)
    let byteCount = try source.byteCount()
    var offset: UInt64 = 0
    while offset < byteCount {
      let count = Int(min(1 << 20, byteCount - offset))
      try made.write(readBytes(of: source, at: offset, count: count), at: offset)
      offset += UInt64(count)
    }
    try made.sync()
    try made.close()
    try fileSystem.syncDirectory(Self.directory)
    return target
  }

  /// A name that is not taken: a manifest or a segment may be damaged twice.
  private func place(of file: String) throws(StorageError) -> String {
    try fileSystem.createDirectory(Self.directory)
    try fileSystem.syncDirectory("")
    let base = Self.name(of: file)
    var (name, count) = (base, 0)
    while try fileSystem.exists(name) {
      count += 1
      name = "\(base).\(count)"
    }
    return name
  }

  private func sync(_ file: String) throws(StorageError) {
    try fileSystem.syncDirectory(Self.directory)
    let folder = file.split(separator: "/").dropLast().joined(separator: "/")
    try fileSystem.syncDirectory(folder)
  }
}
