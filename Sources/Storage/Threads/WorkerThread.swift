import CShims
import Glibc

/// A thread of the operating system with a fixed duty; blocking calls stay on these, off Swift's cooperative pool.
///
/// It runs until `body` returns. Whoever starts one joins it: `body` must hear of the end by what it shares with the owner.
@safe package final class WorkerThread: Sendable {
  private let thread: Lock<pthread_t?>

  /// Starts a thread; `name` is what `top -H` shows, its first 15 bytes.
  package init(name: String, body: @escaping @Sendable () -> Void) throws(StorageError) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    let code = unsafe pthread_create(
      &thread, nil,
      { context in
        guard let context = unsafe context else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        unsafe CShims_setThreadName(start.name)
        start.body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      unsafe start.release()
      throw StorageError(.io, "cannot start thread \(name): \(errorText(code))")
    }
    self.thread = Lock(thread)
  }

  /// Waits for the end of `body`; a second call returns at once.
  package func join() {
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    if let running { pthread_join(running, nil) }
  }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
