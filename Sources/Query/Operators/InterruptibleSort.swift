extension Array {
  /// Sorted, or in any order once `isInterrupted`, which is asked every few milliseconds.
  func sorted(
    unless isInterrupted: () -> Bool, by precedes: (Element, Element) -> Bool
  ) -> [Element] {
    var comparisonCount: UInt16 = 0
    do {
      return try sorted { (a, b) throws(QueryFailure) in
        comparisonCount &+= 1
        if comparisonCount == 0, isInterrupted() { throw QueryFailure.interrupted }
        return precedes(a, b)
      }
    } catch {
      return self
    }
  }
}
