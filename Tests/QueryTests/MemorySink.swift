import LineProtocol
import Query
import Storage
import TestSupport

/// A sink that writes to a store in memory, and remembers in what pieces.
final class MemorySink: PointSink {
  private let store: Store
  /// Lines of each write.
  let writes = Lock<[Int]>([])

  init(_ store: Store) { self.store = store }

  func open(database: String, policy: String) throws(StorageError) -> any PointWriter {
    _ = try store.target(database: database, policy: policy)
    return Writer(self, StoreDriver(store), database, policy.isEmpty ? nil : policy)
  }

  private final class Writer: PointWriter {
    private let sink: MemorySink
    private let driver: StoreDriver
    private let database: String
    private let policy: String?
    private(set) var acceptedCount = 0
    private(set) var rejectedCount = 0
    private(set) var firstReason = ""

    init(_ sink: MemorySink, _ driver: StoreDriver, _ database: String, _ policy: String?) {
      (self.sink, self.driver, self.database, self.policy) = (sink, driver, database, policy)
    }

    func write(_ lines: [UInt8], isCancelled: () -> Bool) throws(StorageError) {
      let result: CommitResult
      do {
        result = try driver.write(String(decoding: lines, as: UTF8.self), database: database, policy: policy)
      } catch let error as StorageError {
        throw error
      } catch {
        throw StorageError(.invalid, "\(error)")
      }
      acceptedCount += result.acceptedCount
      rejectedCount += result.rejectCounts.reduce(0, +)
      firstReason = result.rejects.first?.message ?? firstReason
      sink.writes.withLock { $0.append(lines.count { $0 == UInt8(ascii: "\n") }) }
    }

    func finish() throws(StorageError) {}
  }
}
