/// What is left of the manifests where the one in force cannot be told or read: the newest whose first line holds, with every later
/// line that holds and still fits.
struct ManifestSalvage {
  private(set) var state = ManifestState()
  /// The file that `state` is from; `nil`: none was left.
  private(set) var source: String?
  /// Files that are damaged.
  private(set) var damaged: [String] = []
  private(set) var problems: [StorageError] = []
  private(set) var highestNumber: UInt64 = 0

  /// The state in force where it is whole; `nil` where there is something to salvage.
  static func whole(_ fileSystem: any FileSystem) throws(StorageError) -> (
    state: ManifestState, number: UInt64
  )? {
    do throws(StorageError) {
      let name = try Manifest.current(of: fileSystem)
      let contents = try ManifestContents(try fileSystem.open(name).readAll(), file: name)
      return Manifest.fileName(contents.number) == name ? (contents.state, contents.number) : nil
    } catch {
      if error.code == .unsupportedVersion { throw error }
      return nil
    }
  }

  /// - Parameter disk: says what of the files could not be read.
  init(_ fileSystem: any FileSystem, disk: PatchingFileSystem) throws(StorageError) {
    var named: String?
    do throws(StorageError) {
      named = try Manifest.current(of: fileSystem)
    } catch {
      let isThere = try fileSystem.exists(Manifest.currentName)
      problems.append(
        isThere
          ? StorageError(.corrupt, file: Manifest.currentName, offset: 0, error.detail)
          : StorageError(.corrupt, file: Manifest.currentName, "is not there"))
      if isThere { damaged.append(Manifest.currentName) }
    }
    var names: [(number: UInt64, name: String)] = []
    for name in try fileSystem.list("") {
      if let number = fileNumber(of: name, prefix: "MANIFEST-") { names.append((number, name)) }
    }
    names.sort { a, b in
      if (a.name == named) != (b.name == named) { return a.name == named }
      return a.number > b.number
    }
    highestNumber = names.map(\.number).max() ?? 0
    for (_, name) in names {
      try take(name, fileSystem)
      if disk.isUnreadable(name), !damaged.contains(name) { damaged.append(name) }
    }
  }

  private mutating func take(_ name: String, _ fileSystem: any FileSystem) throws(StorageError) {
    let bytes = try fileSystem.open(name).readAll()
    do throws(StorageError) {
      let contents = try ManifestContents(bytes, file: name)
      if source == nil { (state, source) = (contents.state, name) }
      return
    } catch {
      if error.code == .unsupportedVersion { throw error }
      problems.append(error)
      damaged.append(name)
      guard source == nil, let offset = error.offset, offset > 0 else { return }
      takeAround(Int(offset), name, bytes)
    }
  }

  /// Takes the lines before the bad one, and of those behind it the edits that fit.
  private mutating func takeAround(_ bad: Int, _ name: String, _ bytes: [UInt8]) {
    guard bad <= bytes.count else { return }
    var found: ManifestState
    do throws(StorageError) {
      found = try ManifestContents(Array(bytes[..<bad]), file: name).state
    } catch { return }
    for line in bytes[bad...].split(separator: UInt8(ascii: "\n")).dropFirst() {
      guard let text = ManifestLine.decode(line) else { continue }
      do throws(StorageError) {
        let edits = try ManifestLine.decode(
          json: text, as: ManifestEdits.self, file: name, offset: line.startIndex
        ).edits
        for edit in edits {
          var next = found
          do throws(StorageError) {
            try next.apply(edit)
            found = next
          } catch { continue }
        }
      } catch { continue }
    }
    (state, source) = (found, name)
  }
}
