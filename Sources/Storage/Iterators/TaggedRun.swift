package import LineProtocol

/// A run whose series have one tag more, which nobody can ask for: told apart from series of the same name in other runs, whose points
/// then stay points of their own.
package final class TaggedRun: WrappingRun {
  /// Comes after every key that a line can have: no UTF-8 has this byte.
  private static let key: [UInt8] = [0xff]

  let base: any SortedRun
  private let number: Int

  /// `run`, told apart from those of other numbers.
  package init(_ run: any SortedRun, number: Int) {
    base = run
    self.number = number
  }

  package func measurements() throws(StorageError) -> [[UInt8]] { try base.measurements() }

  package func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] { try base.fields(of: measurement) }

  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] { try base.tagKeys(of: measurement) }

  package func series(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError) -> SeriesList {
    tagged(try base.series(of: measurement, where: predicate))
  }

  package func seriesCursor(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> any SeriesCursor {
    Cursor(base: try base.seriesCursor(of: measurement, where: predicate), run: self)
  }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    base.makeReader(of: measurement, fields: fields)
  }

  private func tagged(_ list: SeriesList) -> SeriesList {
    var out = list
    out.keyBytes = []
    let value = Array(String(number).utf8)
    for index in 0..<list.count {
      let parts = SeriesKey(wellFormed: Array(list.keyBytes[list.keyRange(index)])).parts
      let tags = parts.tags.map { (key: Array($0.key), value: Array($0.value)) } + [(key: Self.key, value: value)]
      out.keyBytes += SeriesKey(measurement: Array(parts.measurement), tags: tags).bytes
      out.keyEnds[index] = out.keyBytes.count
    }
    return out
  }

  private struct Cursor: SeriesCursor {
    var base: any SeriesCursor
    let run: TaggedRun

    mutating func next(_ countMax: Int) throws(StorageError) -> SeriesList? {
      guard let list = try base.next(countMax) else { return nil }
      return run.tagged(list)
    }
  }
}
