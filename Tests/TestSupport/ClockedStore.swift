package import Storage
package import Synchronization

/// A store in memory with clocks that the test moves.
package final class ClockedStore {
  package static let start: Int64 = 1_700_000_000_000_000_000
  package let fileSystem: MemoryFileSystem
  package private(set) var store: Store
  package private(set) var driver: StoreDriver

  package init(options: StoreOptions = StoreOptions(), fileSystem: MemoryFileSystem = MemoryFileSystem()) throws {
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

  package let clocks: Clocks
  package let options: StoreOptions

  deinit { try? store.close() }

  package final class Clocks: Sendable {
    package let wall = Atomic<Int64>(ClockedStore.start)
    package let monotonic = Atomic<Int64>(1_000_000_000)

    package init() {}

    package func advance(seconds: Int64) {
      wall.add(seconds * 1_000_000_000, ordering: .relaxed)
      monotonic.add(seconds * 1_000_000_000, ordering: .relaxed)
    }
  }

  package func reopen() throws {
    try store.close()
    let clocks = clocks
    store = try Store.open(
      fileSystem: fileSystem, options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
    driver = StoreDriver(store)
  }
}
