import Storage
import Synchronization
import TestSupport

/// A store in memory with clocks that the test moves.
final class StoreBench {
  static let start: Int64 = 1_700_000_000_000_000_000
  let fileSystem: MemoryFileSystem
  private(set) var store: Store
  private(set) var driver: StoreDriver

  init(options: StoreOptions = StoreOptions(), fileSystem: MemoryFileSystem = MemoryFileSystem()) throws {
    self.fileSystem = fileSystem
    let clocks = Clocks()
    self.clocks = clocks
    var options = options
    options.segmentByteCount = 1 << 20
    self.options = options
    store = try Store.open(
      fileSystem: fileSystem, options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
    driver = StoreDriver(store)
    try store.createDatabase("metrics")
  }

  let clocks: Clocks
  let options: StoreOptions

  deinit { try? store.close() }

  final class Clocks: Sendable {
    let wall = Atomic<Int64>(StoreBench.start)
    let monotonic = Atomic<Int64>(1_000_000_000)

    func advance(seconds: Int64) {
      wall.add(seconds * 1_000_000_000, ordering: .relaxed)
      monotonic.add(seconds * 1_000_000_000, ordering: .relaxed)
    }
  }

  func reopen() throws {
    try store.close()
    let clocks = clocks
    store = try Store.open(
      fileSystem: fileSystem, options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
    driver = StoreDriver(store)
  }
}
