/// The series of one measurement of a run that satisfy a predicate, a piece at a time, in canonical order: what walks over all series
/// of a window holds a bounded part of their keys.
package protocol SeriesCursor {
  /// About so many further series, perhaps none; `nil` at the end. The first piece carries the run's counts of row groups and says
  /// whether the Bloom filter answered.
  mutating func next(_ countMax: Int) throws(StorageError) -> SeriesList?
}

/// All of a list at once: of a run that has few series, or cannot do better.
package struct WholeListCursor: SeriesCursor {
  private var list: SeriesList?

  package init(_ list: SeriesList) { self.list = list }

  package mutating func next(_ countMax: Int) -> SeriesList? {
    defer { list = nil }
    return list
  }
}
