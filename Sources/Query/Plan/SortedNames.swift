/// Names in the order of their bytes, each once, found by halving: a table of hashes of the few that a measurement has costs more to make
/// than it saves.
struct SortedNames: Sendable {
  private(set) var all: [[UInt8]] = []

  init() {}

  /// - Parameter names: in order, none twice.
  init(sorted names: [[UInt8]]) { all = names }

  var count: Int { all.count }

  func contains(_ name: [UInt8]) -> Bool { place(of: name) != nil }

  /// Where a name stands; `nil`: it is none of them.
  func place(of name: [UInt8]) -> Int? {
    let place = firstPlace(notBefore: name)
    return place < all.count && all[place] == name ? place : nil
  }

  /// Adds a name that is none of them.
  ///
  /// - Returns: its place.
  mutating func insert(_ name: [UInt8]) -> Int {
    let place = firstPlace(notBefore: name)
    all.insert(name, at: place)
    return place
  }

  /// These and others.
  func union(_ other: SortedNames) -> SortedNames {
    if other.all == all { return self }
    var out = SortedNames()
    out.all.reserveCapacity(max(count, other.count))
    var next = 0
    for name in other.all {
      while next < count, all[next].lexicographicallyPrecedes(name) {
        out.all.append(all[next])
        next += 1
      }
      if next < count, all[next] == name { next += 1 }
      out.all.append(name)
    }
    out.all += all[next...]
    return out
  }

  private func firstPlace(notBefore name: [UInt8]) -> Int {
    var (low, high) = (0, all.count)
    while low < high {
      let middle = (low + high) / 2
      if all[middle].lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
