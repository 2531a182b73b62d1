import Glibc

/// What threads that share a `Monitor` wait on.
@safe package final class Condition: @unchecked Sendable {
  // Sendable: pthread conditions are made to be used from many threads; the pointer never changes.
  fileprivate let condition: UnsafeMutablePointer<pthread_cond_t>

  package init() {
    unsafe condition = .allocate(capacity: 1)
    var attributes = pthread_condattr_t()
    // A wall clock that is set must not stretch a wait.
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    let code = unsafe pthread_cond_init(condition, &attributes)
    precondition(code == 0, "pthread_cond_init: \(code)")
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(condition)
    unsafe condition.deallocate()
  }

  /// Wakes one waiter, if there is one.
  package func notifyOne() { unsafe pthread_cond_signal(condition) }
  /// Wakes every waiter.
  package func notifyAll() { unsafe pthread_cond_broadcast(condition) }
}

/// A value under a lock that threads can also wait on, shared by reference.
///
/// Where nothing is waited for use `Lock`. A wait is written as a predicate rather than as a call inside the body, because
/// the body's `inout` promises that nobody else touches the value while it runs.
@safe package final class Monitor<State>: @unchecked Sendable {
  // Sendable: the state is reached only with the mutex held.
  private let lock: Lock<State>
  // The lock's own. Reached through `lock` the compiler takes `&….pointee` for a change of `lock` itself.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let state: UnsafeMutablePointer<State>

  package init(_ initial: sending State) {
    lock = Lock(initial)
    unsafe mutex = lock.mutex
    unsafe state = lock.state
  }

  /// Runs `body` with the lock held.
  package func withLock<Value, Failure: Error>(
    _ body: (inout State) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    return try unsafe body(&state.pointee)
  }

  /// Waits on `condition` until `isReady` says so, then runs `body`; both with the lock held.
  package func withLock<Value, Failure: Error>(
    on condition: Condition, when isReady: (inout State) -> Bool,
    _ body: (inout State) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while unsafe !isReady(&state.pointee) { unsafe pthread_cond_wait(condition.condition, mutex) }
    return try unsafe body(&state.pointee)
  }

  /// The same, but at most until `timeout` has passed (`nil`: without end); `body` runs in either case.
  package func withLock<Value, Failure: Error>(
    on condition: Condition, for timeout: Duration?, when isReady: (inout State) -> Bool,
    _ body: (inout State) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    guard let timeout else { return try withLock(on: condition, when: isReady, body) }
    var deadline = monotonicTime(after: timeout)
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while unsafe !isReady(&state.pointee) {
      if unsafe pthread_cond_timedwait(condition.condition, mutex, &deadline) == ETIMEDOUT { break }
    }
    return try unsafe body(&state.pointee)
  }
}

/// The monotonic clock, nanoseconds.
package func monotonicNanoseconds() -> Int64 {
  var now = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// The processor's time that the calling thread took so far, nanoseconds; costs a system call.
package func threadNanoseconds() -> Int64 {
  var now = timespec()
  unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// The wall clock, nanoseconds since 1970.
package func wallNanoseconds() -> Int64 {
  var now = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &now)
  return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

private func monotonicTime(after duration: Duration) -> timespec {
  let time = monotonicNanoseconds() + duration.asNanoseconds
  return timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
}

extension Duration {
  /// Whole nanoseconds from 0 to a year, which is as good as for ever and cannot overflow.
  package var asNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return min(max(seconds, 0), 366 * 86_400) * 1_000_000_000 + max(attoseconds, 0) / 1_000_000_000
  }
}
