import LineProtocol
import Storage
import TestSupport
import Testing

/// What tombstones hide of a run, against the points themselves.
@Suite("Tombstone mask", .tags(.property))
struct MaskedRunTests {
  private static let measurement = Array("m".utf8)

  private static func points(_ random: inout SplitMix64) -> [ModelPoint] {
    (0..<120).map { _ in
      ModelPoint(
        key: SeriesKey(
          measurement: measurement, tags: [(Array("host".utf8), Array("h\(random.next() % 5)".utf8))]),
        timestamp: Int64(random.next() % 200), fields: ["v": .integer(Int64(random.next() % 50))])
    }
  }

  private static func deletion(_ random: inout SplitMix64) -> Deletion {
    let start = Int64(random.next() % 220) - 10
    let predicate: TagPredicate? =
      random.next() % 3 == 0
      ? nil : .equals(key: Array("host".utf8), value: Array("h\(random.next() % 6)".utf8))
    return Deletion(
      measurements: random.next() % 8 == 0 ? [.name("other")] : [.name("m")], predicate: predicate,
      times: start..<start + Int64(random.next() % 90))
  }

  private static func isHidden(_ point: ModelPoint, by deletion: Deletion) -> Bool {
    deletion.concerns(Array(point.key.measurement)) && deletion.times.contains(point.timestamp)
      && deletion.predicate?.isSatisfied { point.key.value(of: $0) ?? [] } ?? true
  }

  @Test(
    "what is hidden is not read, in either direction, cut to any times; what is left is all there",
    arguments: 0..<40)
  func model(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let points = Self.points(&random)
    let deletions = (0..<Int(random.next() % 4) + 1).map { _ in Self.deletion(&random) }
    let table = try TableSamples.table(MemoryRun(points, sequence: 1...1))
    let run = MaskedRun.masking(
      table,
      by: deletions.enumerated().map { Tombstone(sequence: UInt64($0 + 2), deletion: $1, createdAt: 0) })
    let kept = points.filter { point in !deletions.contains { Self.isHidden(point, by: $0) } }
    let wanted = MemoryRun(kept, sequence: 1...1)
    let (low, high) = (Int64(random.next() % 100), Int64(100 + random.next() % 100))
    for times in [Int64.min ..< .max, low..<high] {
      for descending in [false, true] {
        #expect(
          try Self.rows(run, times: times, descending: descending)
            == Self.rows(wanted, times: times, descending: descending), "seed \(seed), \(times)")
      }
    }
    #expect(try run.measurements() == wanted.measurements())
    #expect(try run.tagKeys(of: Self.measurement) == wanted.tagKeys(of: Self.measurement))
  }

  /// `series time value` of every row, in the order read.
  private static func rows(_ run: any SortedRun, times: Range<Int64>, descending: Bool) throws -> [String] {
    let reader = run.makeReader(of: measurement, fields: [FieldKey(name: Array("v".utf8), type: .integer)])
    var batch = ColumnBatch(fields: [FieldKey(name: Array("v".utf8), type: .integer)])
    var out: [String] = []
    let list = try run.series(of: measurement, where: nil)
    for index in 0..<list.count
    where list.firstTimestamps[index] < times.upperBound && list.lastTimestamps[index] >= times.lowerBound {
      let name = String(decoding: list.keyBytes[list.keyRange(index)], as: UTF8.self)
      try reader.begin(list.ordinals[index], times: times, descending: descending)
      while try reader.next() != nil {
        try reader.read(into: &batch)
        let rows = (0..<batch.count).map { "\(name) \(batch.timestamps[$0]) \(batch.columns[0].values[$0])" }
        out += descending ? rows.reversed() : rows
      }
    }
    return out
  }

  @Test("a run that no deletion meets in time is left as it is")
  func untouched() throws {
    let table = try TableSamples.table(MemoryRun("m v=1i 100\nm v=2i 200", sequence: 1))
    func masked(_ times: Range<Int64>) -> any SortedRun {
      let deletion = Deletion(measurements: [], predicate: nil, times: times)
      return MaskedRun.masking(table, by: [Tombstone(sequence: 9, deletion: deletion, createdAt: 0)])
    }
    #expect(
      masked(0..<100) === table && masked(201 ..< .max) === table
        && MaskedRun.masking(table, by: []) === table)
    #expect(masked(0..<101) !== table)
    #expect(try masked(.min ..< .max).measurements() == [])
    #expect(try masked(.min ..< .max).fields(of: Self.measurement) == [])
  }

  @Test("conditions come back from the manifest's text as they were")
  func coding() throws {
    let key = Array("ho\"st\n".utf8)
    let predicate = TagPredicate.and(
      .or(.equals(key: key, value: []), .not(.matches(key: key, try Regex("^a.*[é]$")))),
      .or(.notEquals(key: key, value: Array("b".utf8)), .constant(true)))
    var state = ManifestState()
    try state.apply(.createDatabase(name: "d"))
    try state.apply(
      .createKeyspace(
        KeyspaceState(id: KeyspaceID(1), database: "d", policy: "p", isDefault: true, ttl: 0, windowLength: 1)
      ))
    let fileSystem = MemoryFileSystem()
    try Manifest.write(state, number: 1, to: fileSystem)
    let manifest = try Manifest.open(fileSystem: fileSystem, isReadOnly: false)
    let deletion = Deletion(
      measurements: [.matches(try Regex("x|y")), .name("z")], predicate: predicate, times: .min ..< .max)
    try manifest.append([
      .addTombstone(keyspace: KeyspaceID(1), Tombstone(sequence: 5, deletion: deletion, createdAt: 7))
    ])
    let read = try Manifest.open(fileSystem: fileSystem, isReadOnly: true).state
    #expect(read == manifest.state)
    #expect(read.keyspaces[0].tombstones[0].deletion == deletion)
    #expect(predicate.depth == 4)
    // One that lies below a number that was given before is not taken.
    #expect(throws: StorageError.self) {
      try manifest.append([
        .addTombstone(keyspace: KeyspaceID(1), Tombstone(sequence: 5, deletion: deletion, createdAt: 7))
      ])
    }
  }
}
