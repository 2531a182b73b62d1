import Storage

/// Takes lines straight into a store.
struct StoreTarget {
  private let store: Store

  init(_ store: Store, database: String, policy: String?) throws { self.store = store }
  func takeAll(of path: String) throws { throw Failure("not yet") }
}
struct PlotOutput {
  init(_ arguments: Arguments) {}
  func write(_ answers: [Any]) throws { throw Failure("not yet") }
}
