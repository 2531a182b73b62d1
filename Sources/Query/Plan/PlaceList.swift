/// Numbers things in the order in which they are met: a few by comparing them one by one, which costs less than hashing each, many by a
/// table of hashes.
struct PlaceList<Element: Hashable> {
  /// Of more than these a table is made.
  static var listedCountMax: Int { 32 }

  private var listed: [Element] = []
  private var places: [Element: Int] = [:]

  /// The number of what was met before; `nil`: it is new, and has the next number from now on.
  mutating func place(of element: Element) -> Int? {
    if places.isEmpty {
      if let place = listed.firstIndex(of: element) { return place }
      guard listed.count == Self.listedCountMax else {
        listed.append(element)
        return nil
      }
      for (place, element) in listed.enumerated() { places[element] = place }
    } else if let place = places[element] {
      return place
    }
    places[element] = places.count
    return nil
  }
}
