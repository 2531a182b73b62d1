import Glibc
import Synchronization

/// The work was broken off by Ctrl-C: status 130.
struct Interrupted: Error, CustomStringConvertible {
  var description: String { "interrupted" }
}

/// Ctrl-C: ends the process, or while something stands that can be broken off alone, breaks off that.
package enum Interrupt {
  private static let isAwaited = Atomic(false)
  private static let isPending = Atomic(false)

  /// From now on the process ends with status 130.
  package static func install() {
    var action = sigaction()
    // The handler does what a handler may: it reads and stores words without locks.
    unsafe action.__sigaction_handler.sa_handler = { _ in
      guard Interrupt.isAwaited.load(ordering: .relaxed) else { _exit(130) }
      Interrupt.isPending.store(true, ordering: .relaxed)
    }
    // No restart: a wait that is interrupted returns, and whoever waits looks here.
    unsafe sigaction(SIGINT, &action, nil)
  }

  /// Whether Ctrl-C was pressed since `during` began.
  package static var wasPressed: Bool { isPending.load(ordering: .relaxed) }

  /// While `body` runs Ctrl-C only shows in `wasPressed`.
  package static func during<Value>(_ body: () throws -> Value) rethrows -> Value {
    isPending.store(false, ordering: .relaxed)
    isAwaited.store(true, ordering: .relaxed)
    defer { isAwaited.store(false, ordering: .relaxed) }
    return try body()
  }
}
