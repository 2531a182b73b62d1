/// Another file system whose calls fail, or take their time, when they are told to: at the *n*-th call, at calls of a kind, past a capacity, or all
/// from a call on, which is how a crash at that call looks to the caller.
package final class FailingFileSystem: FileSystem {
  /// What was called, on the file system or on one of its files.
  package enum Call: String, Sendable, CaseIterable {
    case create, open, openForWriting, createDirectory, syncDirectory, list, exists, rename, remove, removeDirectory, link, lock
    case space, byteCount, read, write, allocate, truncate, sync

    /// Whether it may change what lies on the disk; crashing before one that does not is crashing before the next that does.
    package var isChange: Bool {
      switch self {
      case .open, .openForWriting, .list, .exists, .lock, .space, .byteCount, .read: false
      default: true
      }
    }
  }

  /// Says whether a call fails: the call, the file's name, and its number among those counted, from 1.
  package typealias Rule = @Sendable (Call, String, Int) -> StorageError.Code?

  /// Called before a write, with its bytes, and before a sync: takes as long as the disk does. Also the file's name.
  package typealias CallDelay = @Sendable (Call, String, Int) -> Void

  private struct State {
    var callCount = 0
    var rule: Rule?
    var pace: CallDelay?
    var isStopped = false
    var capacity: UInt64?
    var unreadable: [String: Range<UInt64>] = [:]
  }

  /// The same for all that are `rooted` in one: a disk that stops stops for all of them.
  private final class Shared: Sendable {
    let lock = Lock(State())
  }

  let wrapped: any FileSystem
  private let state: Shared
  private let countsChangesOnly: Bool
  private let takesLinks: Bool

  /// - Parameters:
  ///   - capacity: bytes of the disk; a call by which the files would grow past it is `.full`.
  ///   - countsChangesOnly: counts only calls that may change what lies on the disk.
  ///   - takesLinks: whether `link` makes any, as within a device.
  package init(
    wrapping wrapped: any FileSystem, capacity: UInt64? = nil, countsChangesOnly: Bool = false, takesLinks: Bool = true
  ) {
    self.wrapped = wrapped
    self.countsChangesOnly = countsChangesOnly
    self.takesLinks = takesLinks
    state = Shared()
    state.lock.withLock { $0.capacity = capacity }
  }

  private init(_ other: FailingFileSystem, rootedAt path: String) {
    wrapped = other.wrapped.rooted(at: path)
    (state, countsChangesOnly, takesLinks) = (other.state, other.countsChangesOnly, other.takesLinks)
  }

  package func path(of name: String) -> String { wrapped.path(of: name) }

  package func rooted(at path: String) -> any FileSystem { FailingFileSystem(self, rootedAt: path) }

  package func holds(path: String) -> Bool { wrapped.holds(path: path) }

  /// Calls counted so far, the failed ones too.
  package var callCount: Int { state.lock.withLock { $0.callCount } }

  /// Makes the disk slow: writes and syncs take as long as `pace` does; `nil`: no time.
  package func pace(_ pace: CallDelay?) { state.lock.withLock { $0.pace = pace } }

  /// Waits for as long as the call takes; no lock is held.
  func wait(for call: Call, _ name: String, byteCount: Int) { state.lock.withLock { $0.pace }?(call, name, byteCount) }

  /// Fails the calls that `rule` names; `nil` fails none.
  package func fail(where rule: Rule?) { state.lock.withLock { $0.rule = rule } }

  /// Fails the `call`-th call from the start, once.
  package func fail(at call: Int, with code: StorageError.Code) {
    fail { _, _, number in number == call ? code : nil }
  }

  /// Lets calls before the `call`-th through and none after: a crash there.
  package func stop(at call: Int) {
    fail { _, _, number in number >= call ? .io : nil }
  }

  /// Lets nothing through from now on.
  package func stop() { state.lock.withLock { $0.isStopped = true } }

  /// Sets the size of the disk; `nil`: without bound.
  package func setCapacity(_ capacity: UInt64?) { state.lock.withLock { $0.capacity = capacity } }

  /// Makes some bytes of a file unreadable; `nil`: none.
  package func refuseReading(_ name: String, _ range: Range<UInt64>?) {
    state.lock.withLock { $0.unreadable[name] = range }
  }

  func admit(_ call: Call, _ name: String, at offset: UInt64, byteCount: Int) throws(StorageError) {
    try admit(call, name)
    let range = state.lock.withLock { $0.unreadable[name] }
    if let range, range.overlaps(offset..<offset + UInt64(byteCount)) {
      throw StorageError(.io, file: name, "cannot \(call.rawValue) \(name): told to fail")
    }
  }

  func admit(_ call: Call, _ name: String) throws(StorageError) {
    let code = state.lock.withLock { state -> StorageError.Code? in
      if !countsChangesOnly || call.isChange { state.callCount += 1 }
      if state.isStopped { return .io }
      if countsChangesOnly && !call.isChange { return nil }
      return state.rule?(call, name, state.callCount)
    }
    if let code { throw StorageError(code, file: name, "cannot \(call.rawValue) \(name): told to fail") }
  }

  /// Refuses what would make the files larger than the disk.
  func admitGrowth(of name: String, from before: UInt64, to after: UInt64) throws(StorageError) {
    guard after > before, let capacity = state.lock.withLock({ $0.capacity }) else { return }
    if try usedByteCount("") + (after - before) > capacity {
      throw StorageError(.full, file: name, "cannot write \(name): no space left on a disk of \(capacity) bytes")
    }
  }

  /// Bytes of the files below a folder, open or not.
  private func usedByteCount(_ directory: String) throws(StorageError) -> UInt64 {
    var sum: UInt64 = 0
    for entry in try wrapped.list(directory) {
      let name = directory.isEmpty ? entry : "\(directory)/\(entry)"
      do throws(StorageError) {
        sum += try usedByteCount(name)
      } catch {
        // Not a folder, or removed meanwhile, which counts as nothing.
        if error.code != .notFound { sum += try wrapped.open(name).byteCount() }
      }
    }
    return sum
  }

  package var rootPath: String { wrapped.rootPath }

  package func create(_ name: String) throws(StorageError) -> any StoredFile {
    try admit(.create, name)
    return FailingFile(wrapping: try wrapped.create(name), fileSystem: self)
  }

  package func open(_ name: String) throws(StorageError) -> any StoredFile {
    try admit(.open, name)
    return FailingFile(wrapping: try wrapped.open(name), fileSystem: self)
  }

  package func openForWriting(_ name: String) throws(StorageError) -> any StoredFile {
    try admit(.openForWriting, name)
    return FailingFile(wrapping: try wrapped.openForWriting(name), fileSystem: self)
  }

  package func createDirectory(_ name: String) throws(StorageError) {
    try admit(.createDirectory, name)
    try wrapped.createDirectory(name)
  }

  package func syncDirectory(_ name: String) throws(StorageError) {
    try admit(.syncDirectory, name)
    try wrapped.syncDirectory(name)
  }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    try admit(.list, directory)
    return try wrapped.list(directory)
  }

  package func exists(_ name: String) throws(StorageError) -> Bool {
    try admit(.exists, name)
    return try wrapped.exists(name)
  }

  package func rename(_ from: String, to: String) throws(StorageError) {
    try admit(.rename, from)
    try wrapped.rename(from, to: to)
    state.lock.withLock { $0.unreadable[to] = $0.unreadable.removeValue(forKey: from) }
  }

  package func remove(_ name: String) throws(StorageError) {
    try admit(.remove, name)
    try wrapped.remove(name)
    state.lock.withLock { $0.unreadable[name] = nil }
  }

  package func removeDirectory(_ name: String) throws(StorageError) {
    try admit(.removeDirectory, name)
    try wrapped.removeDirectory(name)
  }

  package func link(_ name: String, toPath path: String) throws(StorageError) -> Bool {
    try admit(.link, name)
    return takesLinks ? try wrapped.link(name, toPath: path) : false
  }

  package func lock(_ name: String) throws(StorageError) -> any FileLock {
    try admit(.lock, name)
    return try wrapped.lock(name)
  }

  package func space() throws(StorageError) -> (free: UInt64, total: UInt64) {
    try admit(.space, "")
    guard let capacity = state.lock.withLock({ $0.capacity }) else { return try wrapped.space() }
    return (capacity - min(try usedByteCount(""), capacity), capacity)
  }
}
