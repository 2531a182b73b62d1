import Storage
import Synchronization
import TestSupport

/// A store in `/data` of a disk, and directories beside it.
final class BackupBench {
  static let start = ClockedStore.start

  let root: any FileSystem
  let clocks = ClockedStore.Clocks()
  private(set) var store: Store
  private(set) var driver: StoreDriver

  init(_ root: any FileSystem = MemoryFileSystem(), at path: String = "/data") throws {
    self.root = root
    store = try Self.open(root.rooted(at: path), clocks)
    driver = StoreDriver(store)
    try store.createDatabase("metrics")
  }

  deinit { try? store.close() }

  static func open(_ disk: any FileSystem, _ clocks: ClockedStore.Clocks, isReadOnly: Bool = false) throws
    -> Store
  {
    var options = StoreOptions()
    options.segmentByteCount = 64 << 10
    options.compactorCount = 0
    options.reserveByteCount = 0
    options.isReadOnly = isReadOnly
    return try Store.open(
      fileSystem: disk, options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
  }

  func open(_ path: String, isReadOnly: Bool = false) throws -> Store {
    try Self.open(root.rooted(at: path), clocks, isReadOnly: isReadOnly)
  }

  func reopen(at path: String = "/data") throws {
    try store.close()
    store = try open(path)
    driver = StoreDriver(store)
  }

  /// What a directory holds when it is opened as a store for reading.
  func dump(_ path: String, database: String = "metrics") throws -> [String] {
    let store = try open(path, isReadOnly: true)
    defer { try? store.close() }
    return try StoreDriver(store).dump(database: database)
  }

  /// Points of a series at one step after the start, `count` of them.
  static func lines(_ series: String, from first: Int, count: Int = 3, value: Int = 1) -> String {
    (first..<first + count).map { "\(series) v=\(value)i \(start + Int64($0))\n" }.joined()
  }

  /// Every file below a directory with its bytes, less the lock.
  func files(_ path: String, in folder: String = "") throws -> [String: [UInt8]] {
    let disk = root.rooted(at: path)
    var found: [String: [UInt8]] = [:]
    for entry in try disk.list(folder) where entry != "LOCK" {
      let name = folder.isEmpty ? entry : folder + "/" + entry
      if entry.contains(".") || entry == entry.uppercased() && !entry.allSatisfy(\.isNumber) {
        found[name] = try disk.open(name).bytes()
      } else {
        found.merge(try files(path, in: name)) { first, _ in first }
      }
    }
    return found
  }

  static func error(_ body: () throws -> Void) -> StorageError? {
    do { try body() } catch { return error as? StorageError }
    return nil
  }
}
