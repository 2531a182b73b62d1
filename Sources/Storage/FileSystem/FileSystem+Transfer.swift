/// How files and folders get from one directory to another, and go.
extension FileSystem {
  /// What a copy is called until it is whole.
  package static var partialSuffix: String { ".part" }

  /// Gives a file a second name in another directory, or copies it where no link can be made. The other folder is to be synced.
  ///
  /// - Returns: whether it is a link.
  package func transfer(_ name: String, to other: any FileSystem, as newName: String) throws(StorageError)
    -> Bool
  {
    if try link(name, toPath: other.path(of: newName)) { return true }
    try copy(name, to: other, as: newName)
    return false
  }

  /// Copies a file, synced. It gets its name only when it is whole, so that what bears it can be trusted after any crash.
  package func copy(_ name: String, to other: any FileSystem, as newName: String) throws(StorageError) {
    let source = try open(name)
    let byteCount = try source.byteCount()
    let partial = newName + Self.partialSuffix
    try other.remove(partial)
    let copy = try other.create(partial)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    defer { unsafe buffer.deallocate() }
    var offset: UInt64 = 0
    while offset < byteCount {
      let count = Int(min(byteCount - offset, UInt64(buffer.count)))
      // `count` is at most the buffer's length.
      let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
      try unsafe source.read(at: offset, into: piece)
      try unsafe copy.write(UnsafeRawBufferPointer(piece), at: offset)
      offset += UInt64(count)
    }
    try copy.sync()
    try copy.close()
    try other.rename(partial, to: newName)
  }

  /// Puts bytes in the place of what bears a name, or of nothing: written beside it, synced, renamed, the folder synced. After any crash
  /// the name stands for the old bytes or for the new.
  package func replace(_ name: String, with bytes: [UInt8]) throws(StorageError) {
    let partial = name + Self.partialSuffix
    try remove(partial)
    let file = try create(partial)
    try file.write(bytes, at: 0)
    try file.sync()
    try file.close()
    try rename(partial, to: name)
    try syncDirectory(folderName(of: name))
  }

  /// Whether a file is as long as another and begins and ends with the same bytes, 4 KiB of each: for files that are never
  /// changed and hold checksums or chance at both ends.
  package func isLikely(_ name: String, sameAs other: any FileSystem, _ otherName: String)
    throws(StorageError) -> Bool
  {
    let (one, two) = (try open(name), try other.open(otherName))
    let byteCount = try one.byteCount()
    guard try two.byteCount() == byteCount else { return false }
    let count = min(byteCount, 4_096)
    for offset in [0, byteCount - count] {
      let (ours, theirs) = (
        try readBytes(of: one, at: offset, count: Int(count)),
        try readBytes(of: two, at: offset, count: Int(count))
      )
      if ours != theirs { return false }
    }
    return true
  }

  /// Removes a folder of a store's shape, however much of it is there: files, and folders of files in two levels.
  package func removeFolder(_ folder: String) throws(StorageError) {
    try removeFolder(folder, depth: 2)
  }

  private func removeFolder(_ folder: String, depth: Int) throws(StorageError) {
    guard try exists(folder) else { return }
    for entry in try list(folder) {
      let name = folder + "/" + entry
      // Files of a store have a point or are in capitals; its folders are in small letters or digits.
      let isFolder = depth > 0 && entry.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) }
      if isFolder { try removeFolder(name, depth: depth - 1) } else { try remove(name) }
    }
    try removeDirectory(folder)
  }
}

/// The folder that a name lies in; "" is the root.
func folderName(of name: String) -> String { name.lastIndex(of: "/").map { String(name[..<$0]) } ?? "" }
