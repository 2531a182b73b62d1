import Synchronization

/// What requests and connections under way hold of what was received, and the bound of it: bodies, inflated ones too, and unfinished lines.
final class BodyMemory: Sendable {
  let byteCountMax: Int
  private let held = Atomic<Int>(0)

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  /// Bytes held now.
  var byteCount: Int { held.load(ordering: .relaxed) }

  /// What one request or connection holds; given back when it goes.
  final class Account: Sendable {
    private let memory: BodyMemory
    private let held = Atomic<Int>(0)

    init(_ memory: BodyMemory) { self.memory = memory }

    deinit { memory.held.subtract(held.load(ordering: .relaxed), ordering: .relaxed) }

    /// Holds so many bytes from now on; `false` where all together would hold too much: nothing has changed then.
    func hold(_ byteCount: Int) -> Bool {
      let change = byteCount - held.load(ordering: .relaxed)
      if change == 0 { return true }
      let sum = memory.held.add(change, ordering: .relaxed).newValue
      if change > 0, sum > memory.byteCountMax {
        memory.held.subtract(change, ordering: .relaxed)
        return false
      }
      held.store(byteCount, ordering: .relaxed)
      return true
    }
  }
}
