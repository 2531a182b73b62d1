/// The series of one measurement of a run that satisfy a predicate, a piece at a time, in canonical order: what walks over all series
/// of a window holds a bounded part of their keys.
package protocol SeriesCursor {
  /// About so many further series, perhaps none; `nil` at the end. The first piece carries the run's counts of row groups and says
  /// whether the Bloom filter answered.
  mutating func next(_ countMax: Int) throws(StorageError) -> SeriesList?
  /// Whether it and another give the same series under the same numbers, where that is told at less than the cost of making their keys;
  /// `false` where it is not.
  func hasSeries(of other: any SeriesCursor) throws(StorageError) -> Bool
  /// Appends the first and last timestamps of some series, given by their numbers; only of a cursor that `hasSeries` answered `true` of.
  mutating func appendTimes(of ordinals: ArraySlice<UInt32>, to list: inout SeriesTimes) throws(StorageError)
}

extension SeriesCursor {
  package func hasSeries(of other: any SeriesCursor) throws(StorageError) -> Bool { false }
  package mutating func appendTimes(of ordinals: ArraySlice<UInt32>, to list: inout SeriesTimes) throws(StorageError) {
    throw StorageError(.invalid, "times of series are asked for where they are not known alone")
  }
}

/// First and last timestamp of each of some series.
package struct SeriesTimes {
  package var firsts: [Int64] = []
  package var lasts: [Int64] = []

  package init() {}
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
