/// Unlinks what no version names any more: one thread, paced, through the file system.
package final class Janitor: Sendable {
  private let fileSystem: any FileSystem
  private let queue = Lock<Queue>(Queue())

  private struct Queue {
    var names: [String] = []
    var isWorking = false
    var failures: [String] = []
    /// Files that no version in force names and that something still reads.
    var held: [String: UInt64] = [:]
  }

  package init(fileSystem: any FileSystem) { self.fileSystem = fileSystem }

  /// Takes a file to unlink; from any thread, also from a `deinit`.
  package func enqueue(_ name: String) {
    queue.withLock { queue in
      queue.names.append(name)
      queue.held[name] = nil
    }
  }

  /// Takes note of a file that the version in force no longer names; `enqueue` follows when nothing reads it any more.
  package func awaitRelease(of name: String, byteCount: UInt64) { queue.withLock { $0.held[name] = byteCount } }

  /// Files that only older versions name, which snapshots and merges under way hold, with their bytes.
  package var heldFiles: [String: UInt64] { queue.withLock { $0.held } }

  /// Unlinks what is queued; returns how many files went. Called by the upkeep thread, and by who waits for it.
  ///
  /// What cannot be unlinked is kept for the next start's sweep, which finds it as an orphan.
  @discardableResult package func work() -> Int {
    var count = 0
    while let name = queue.withLock({ $0.names.popLast() }) {
      do throws(StorageError) {
        try fileSystem.remove(name)
        count += 1
      } catch {
        queue.withLock { $0.failures.append("\(name): \(error)") }
      }
    }
    return count
  }

  /// Files that could not be unlinked, with the reason.
  package var failures: [String] { queue.withLock { $0.failures } }
}
