import LineProtocol

/// How one run's columns become those that were asked for: a reader, and for each asked column what feeds it.
final class ReadPlan {
  struct ColumnFeed: Equatable {
    /// Index in the reader's fields.
    var column: Int
    var conversion: ValueConversion
  }

  let reader: any RunReader
  /// For each asked column.
  let sources: [[ColumnFeed]]
  /// Whether the reader's batch is the asked one as it is.
  let isDirect: Bool
  /// The decoded head; its columns are the reader's.
  var batch: ColumnBatch

  /// - Parameters:
  ///   - fields: what the run has of the measurement, sorted by name.
  ///   - hides: whether values of types that a column cannot take are read too, because they hide those of lower runs.
  init(
    _ run: any SortedRun, _ measurement: [UInt8], asked: [ScanColumn], fields: [FieldKey], converts: Bool,
    hides: Bool
  ) {
    var keys: [FieldKey] = []
    var places: [FieldKey: Int] = [:]
    sources = asked.map { column in
      let converts = converts && !column.isExact
      let own = FieldKey(name: column.name, type: column.type)
      var stored = fields.named(column.name).filter { key in
        hides || ValueConversion(from: key.type, to: own.type, convertsNumbers: converts) != .hide
      }
      // A column that the run lacks is asked for all the same, and is absent: so the usual plan stays direct.
      if stored.isEmpty { stored = [own] }
      return stored.map { key in
        let place = places[key] ?? keys.count
        if place == keys.count {
          places[key] = place
          keys.append(key)
        }
        return ColumnFeed(
          column: place, conversion: ValueConversion(from: key.type, to: own.type, convertsNumbers: converts))
      }
    }
    isDirect =
      keys == asked.map { FieldKey(name: $0.name, type: $0.type) }
      && sources.enumerated().allSatisfy { place, feeds in feeds.map(\.column) == [place] }
    reader = run.makeReader(of: measurement, fields: keys)
    batch = ColumnBatch(fields: keys)
  }
}
