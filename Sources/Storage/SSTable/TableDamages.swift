import Synchronization

/// The damaged places of one table that reading has met, so that what lies in them is left out from then on.
final class TableDamages: Sendable {
  private struct State {
    var table: StorageError?
    var measurements: [[UInt8]: RunDamage] = [:]
  }
  private let state = Lock(State())
  private let isAny = Atomic<Bool>(false)

  var table: StorageError? { isAny.load(ordering: .acquiring) ? state.withLock { $0.table } : nil }

  func damage(of measurement: [UInt8]) -> RunDamage {
    guard isAny.load(ordering: .acquiring) else { return RunDamage() }
    return state.withLock { state in
      if let error = state.table { return RunDamage(whole: error) }
      return state.measurements[measurement] ?? RunDamage()
    }
  }

  /// Forgets places that the disk refused to read: it is asked again.
  func forgetRefused() {
    guard isAny.load(ordering: .acquiring) else { return }
    state.withLock { state in
      if state.table?.code == .io { state.table = nil }
      for name in state.measurements.keys {
        if state.measurements[name]?.whole?.code == .io { state.measurements[name]?.whole = nil }
        state.measurements[name]?.series.removeAll { $0.error.code == .io }
        if state.measurements[name]?.isNone == true { state.measurements[name] = nil }
      }
    }
  }

  /// Takes a place in; `false` where it was known.
  func note(_ place: DamagedPlace, _ error: StorageError) -> Bool {
    defer { isAny.store(true, ordering: .releasing) }
    return state.withLock { state in
      if state.table != nil { return false }
      switch place {
      case .table: state.table = error
      case .measurement(let name):
        if state.measurements[name]?.whole != nil { return false }
        state.measurements[name, default: RunDamage()].whole = error
      case .series(let name, let ordinals):
        let known = state.measurements[name] ?? RunDamage()
        if known.whole != nil
          || known.series.contains(where: { $0.ordinals == ordinals && $0.error == error })
        {
          return false
        }
        state.measurements[name, default: RunDamage()].series.append(
          RunDamage.Series(ordinals: ordinals, error: error))
      }
      return true
    }
  }
}

/// What of a table is lost with a block.
enum DamagedPlace: Equatable {
  case table
  case measurement([UInt8])
  /// Rows of these series.
  case series([UInt8], Range<UInt32>)
}
