/// Asks whether a statement is to go on, once in so many steps of its work: counted and not timed, so that it costs next to nothing.
struct InterruptCheck {
  /// Steps between two looks, each a row that is moved, compared or computed: well below a millisecond.
  static let stepCountMax = 8_192

  private let isInterrupted: () -> Bool
  private var stepsLeft = stepCountMax

  init(_ isInterrupted: @escaping () -> Bool) { self.isInterrupted = isInterrupted }

  /// Counts steps.
  mutating func pass(_ stepCount: Int = 1) throws(QueryFailure) {
    stepsLeft -= stepCount
    if stepsLeft <= 0 { try look() }
  }

  private mutating func look() throws(QueryFailure) {
    stepsLeft = Self.stepCountMax
    if isInterrupted() { throw QueryFailure.interrupted }
  }
}

extension Sequence {
  /// Sorted; fails once `isInterrupted`: each comparison is a step.
  func sorted(
    unless isInterrupted: @escaping () -> Bool, by precedes: (Element, Element) -> Bool
  ) throws(QueryFailure) -> [Element] {
    var check = InterruptCheck(isInterrupted)
    do {
      return try sorted { (a, b) throws(QueryFailure) in
        try check.pass()
        return precedes(a, b)
      }
    } catch let failure as QueryFailure {
      throw failure
    } catch {
      throw QueryFailure("\(error)")
    }
  }
}
