/// A folder in memory, with what a power cut would leave of its names, where that is asked for.
final class MemoryDirectory: @unchecked Sendable {
  // Sendable: reached only under the lock of the one file system that it belongs to.

  enum Entry {
    case file(MemoryContents)
    case directory(MemoryDirectory)
  }

  /// A name given or taken (`nil`) since the last sync of the folder; a rename gives one and takes one, both or neither.
  private typealias Change = [(name: String, entry: Entry?)]

  private(set) var entries: [String: Entry] = [:]
  private var durable: [String: Entry] = [:]
  private var unsynced: [Change] = []
  let isForgetful: Bool

  init(isForgetful: Bool) { self.isForgetful = isForgetful }

  /// Gives and takes names in one step.
  func change(_ changes: [(name: String, entry: Entry?)]) {
    for (name, entry) in changes { entries[name] = entry }
    if isForgetful { unsynced.append(changes) }
  }

  func sync() {
    for change in unsynced { for (name, entry) in change { durable[name] = entry } }
    unsynced.removeAll(keepingCapacity: true)
  }

  /// The folder as a power cut may leave it; `files` keeps one survivor a file, however many names it has.
  func survivor(_ survival: inout Survival, files: inout [ObjectIdentifier: MemoryContents]) -> MemoryDirectory {
    var left = durable
    for change in survival.choose(from: unsynced) { for (name, entry) in change { left[name] = entry } }
    let copy = MemoryDirectory(isForgetful: true)
    // In order of names, so that one seed makes one result.
    for (name, entry) in left.sorted(by: { $0.key < $1.key }) {
      switch entry {
      case .directory(let directory):
        copy.durable[name] = .directory(directory.survivor(&survival, files: &files))
      case .file(let contents):
        let file = files[ObjectIdentifier(contents)] ?? contents.survivor(&survival)
        files[ObjectIdentifier(contents)] = file
        copy.durable[name] = .file(file)
      }
    }
    copy.entries = copy.durable
    return copy
  }
}
