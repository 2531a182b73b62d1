import LineProtocol

/// The fields of rows as they lie in chunks: one object for all receivers that send the same fields in the
/// same order.
final class FieldList: Sendable {
  /// Never used again while the program runs.
  let number: UInt64
  let keys: [FieldKey]
  /// Indices of the fields whose values are strings.
  let stringFields: [Int]

  init(number: UInt64, keys: [FieldKey]) {
    self.number = number
    self.keys = keys
    stringFields = keys.indices.filter { keys[$0].type == .string }
  }
}

/// The field lists in use, shared by a store's inserters.
///
/// Weak: a list goes with the last inserter or part that holds it, so the table is as bounded as these are.
package final class FieldListTable: Sendable {
  private struct State {
    var lists: [[FieldKey]: WeakList] = [:]
    var nextNumber: UInt64 = 1
    var sweepAt = 1_024
  }
  private struct WeakList { weak var list: FieldList? }
  private let state = Lock(State())

  package init() {}

  /// The one list of these fields.
  func intern(_ keys: [FieldKey]) -> FieldList {
    state.withLock { state in
      if let list = state.lists[keys]?.list { return list }
      if state.lists.count >= state.sweepAt {
        state.lists = state.lists.filter { $0.value.list != nil }
        state.sweepAt = max(1_024, state.lists.count * 2)
      }
      let list = FieldList(number: state.nextNumber, keys: keys)
      state.nextNumber += 1
      state.lists[keys] = WeakList(list: list)
      return list
    }
  }
}
