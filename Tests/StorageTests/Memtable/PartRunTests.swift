import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Part as a sorted run", .tags(.property))
struct PartRunTests {
  @Test("random batches read back as the model joins them", arguments: 0..<12)
  func againstModel(seed: UInt64) throws {
    var source = LineSource(seed: seed)
    source.isInOrder = seed % 4 == 0
    source.seriesCount = seed % 3 == 0 ? 1 : 7
    let writer = Writer(windowLength: 0)
    var points: [ModelPoint] = []
    for sequence in 1...8 {
      let lines = source.lines(Int.random(in: 1...60, using: &source.random))
      try writer.write(lines, sequence: UInt64(sequence))
      points += lines.map(\.point)
      let part = try #require(writer.memtable.parts().first)
      let run = try #require(part.makeRun())
      let model = MemoryRun(points, sequence: 1...UInt64(sequence))
      try compare(run, model, seed: seed, random: &source.random)
    }
  }

  @Test("rows of few series in several field lists in turns, each with its own, read back as the model joins them", arguments: 0..<6)
  func listsInTurns(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let writer = Writer(windowLength: seed % 2 == 0 ? 0 : 400)
    var points: [ModelPoint] = []
    // Lists of different widths, so that a row in a chunk of another list would spoil its neighbours.
    let lists = [["a"], ["b", "c", "d"], ["a", "b"], ["e", "f", "g", "h", "i"]]
    var time = Int64(0)
    for sequence in 1...4 as ClosedRange<UInt64> {
      let lines = (0..<300).map { _ in
        time += 1
        let series = Array("\(Int.random(in: 0..<(seed < 3 ? 2 : 24), using: &random))".utf8)
        let fields = (lists.randomElement(using: &random) ?? []).map { (name: $0, value: ModelValue.integer(Int64.random(in: 0..<9, using: &random))) }
        return SentLine(
          key: SeriesKey(measurement: Array("m".utf8), tags: [(key: Array("s".utf8), value: series)]), timestamp: time, fields: fields)
      }
      try writer.write(lines, sequence: sequence)
      points += lines.map(\.point)
    }
    for part in writer.memtable.parts() {
      let run = try #require(part.makeRun())
      let here = points.filter { part.window.contains($0.timestamp) }
      try #expect(RunContents(run) == RunContents(MemoryRun(here, sequence: 1...4)), "seed \(seed)")
    }
  }

  @Test("a bound on batches shows those before it, while later ones are there", arguments: 0..<8)
  func visibleThrough(seed: UInt64) throws {
    var source = LineSource(seed: seed)
    source.isInOrder = seed % 2 == 0
    let writer = Writer(windowLength: 0)
    var batches: [[ModelPoint]] = []
    for sequence in 3...20 {
      let lines = source.lines(Int.random(in: 1...40, using: &source.random))
      try writer.write(lines, sequence: UInt64(sequence))
      batches.append(lines.map(\.point))
    }
    let part = try #require(writer.memtable.parts().first)
    #expect(part.makeRun(visibleThrough: 2) == nil)
    for count in 1...batches.count {
      let run = try #require(part.makeRun(visibleThrough: UInt64(count + 2)))
      let model = MemoryRun(batches.prefix(count).flatMap { $0 }, sequence: 3...UInt64(count + 2))
      try #expect(RunContents(run) == RunContents(model), "seed \(seed), \(count) batches")
      #expect(run.sequenceRange == 3...UInt64(count + 2))
    }
  }

  @Test("rows go to the parts of their windows", arguments: 0..<6)
  func windows(seed: UInt64) throws {
    var source = LineSource(seed: seed)
    source.times = -3_000..<3_000
    let writer = Writer(windowLength: 1_000)
    var points: [ModelPoint] = []
    for sequence in 1...6 {
      let lines = source.lines(50)
      try writer.write(lines, sequence: UInt64(sequence))
      points += lines.map(\.point)
    }
    let parts = writer.memtable.parts()
    #expect(parts.map(\.window.lowerBound) == [-3_000, -2_000, -1_000, 0, 1_000, 2_000])
    for part in parts {
      let run = try #require(part.makeRun())
      let model = MemoryRun(points.filter { part.window.contains($0.timestamp) }, sequence: 1...6)
      try #expect(RunContents(run) == RunContents(model), "seed \(seed), window \(part.window)")
      #expect(run.timeRange == model.timeRange)
    }
  }

  @Test(
    "long series come in spans of at most 16,384 rows, in order and out of order", arguments: [false, true])
  func longSeries(isShuffled: Bool) throws {
    let writer = Writer(windowLength: 0)
    let key = SeriesKey(measurement: Array("m".utf8), tags: [])
    var times = Array(Int64(0)..<40_000)
    var random = SplitMix64(seed: 5)
    if isShuffled { times.shuffle(using: &random) }
    var sequence: UInt64 = 0
    for start in stride(from: 0, to: times.count, by: 1_000) {
      sequence += 1
      try writer.write(
        times[start..<start + 1_000].map {
          SentLine(key: key, timestamp: $0, fields: [("v", .integer($0 * 3))])
        }, sequence: sequence)
    }
    let run = try #require(writer.memtable.parts().first?.makeRun())
    let fields = run.fields(of: Array("m".utf8))
    let reader = run.makeReader(of: Array("m".utf8), fields: fields)
    var batch = ColumnBatch(fields: fields)
    for (range, descending) in [(Int64.min..<Int64.max, false), (100..<39_000, true)] {
      try reader.begin(0, times: range, descending: descending)
      var seen: [Int64] = []
      while let span = try reader.next() {
        try reader.read(into: &batch)
        #expect(span.rowCount <= 16_384 && span.rowCount == batch.count && span.rowCount > 0)
        #expect(zip(batch.timestamps, batch.columns[0].values).allSatisfy { UInt64($0 * 3) == $1 })
        seen = descending ? batch.timestamps + seen : seen + batch.timestamps
      }
      #expect(seen == Array(range.clamped(to: 0..<40_000)))
    }
  }

  @Test("the order of keys is that of SeriesKey", arguments: 0..<4)
  func keyOrder(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let writer = Writer(windowLength: 0)
    func word() -> [UInt8] {
      let letters: [UInt8] = [0x61, 0x62, 0xff]
      let count = Int.random(in: 0..<20, using: &random) == 0 ? 130 : Int.random(in: 0..<3, using: &random)
      return (0..<count).map { _ in letters.randomElement(using: &random) ?? 0 }
    }
    var lines: [SentLine] = []
    for time in 0..<300 {
      var tags: [[UInt8]: [UInt8]] = [:]
      for _ in 0..<Int.random(in: 0..<4, using: &random) { tags[word()] = word() }
      let key = SeriesKey(measurement: word(), tags: tags.map { (key: $0.key, value: $0.value) })
      lines.append(SentLine(key: key, timestamp: Int64(time), fields: [("v", .boolean(true))]))
    }
    // In two steps, so that new series are merged into a known order.
    try writer.write(Array(lines.prefix(100)), sequence: 1)
    let part = try #require(writer.memtable.parts().first)
    _ = try RunContents(#require(part.makeRun()))
    try writer.write(Array(lines.dropFirst(100)), sequence: 2)
    let keys = try RunContents(#require(part.makeRun())).series.map(\.key)
    #expect(keys == Set(lines.map(\.key)).sorted(), "seed \(seed)")
  }

  @Test("values that differ in a byte or in how long they are, under keys in any order, are told apart", arguments: [1, 2] as [UInt64])
  func likeValues(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let writer = Writer(windowLength: 0)
    var wanted: [[UInt8]: [[UInt8]: Set<[UInt8]>]] = [:]
    for sequence in 1...4 as ClosedRange<UInt64> {
      let lines = (0..<1_500).map { number in
        let measurement = ["m", "mm"].randomElement(using: &random).map { Array($0.utf8) } ?? []
        let keys = ["a", "b", "ab", "longer key than eight"].shuffled(using: &random).prefix(3).map { Array($0.utf8) }
        let tags = keys.map { key in
          var value = [UInt8](repeating: UInt8(ascii: "x"), count: Int.random(in: 1...18, using: &random))
          value[Int.random(in: 0..<value.count, using: &random)] = UInt8.random(in: 97...122, using: &random)
          wanted[measurement, default: [:]][key, default: []].insert(value)
          return (key: key, value: value)
        }
        return SentLine(
          key: SeriesKey(measurement: measurement, tags: tags + [(key: Array("n".utf8), value: Array("\(sequence) \(number)".utf8))]),
          timestamp: 1, fields: [("v", .boolean(true))])
      }
      try writer.write(lines, sequence: sequence)
      let run = try #require(writer.memtable.parts().first?.makeRun())
      for (measurement, keys) in wanted {
        #expect(run.tagKeys(of: measurement) == (keys.keys + [Array("n".utf8)]).sorted { $0.lexicographicallyPrecedes($1) })
        for (key, values) in keys {
          let found = try #require(run.tagValues(of: measurement, key: key, where: nil, countMax: .max) { false })
          #expect(found == TagValueList(sorting: values))
        }
      }
    }
  }

  @Test("rows of several receivers that lie between one another read back in order of time", arguments: [2, 3, 20], 0..<6 as Range<UInt64>)
  func interleaved(receiverCount: Int, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let memtable = Memtable(clock: { 0 })
    let writers = (0..<receiverCount).map { _ in Writer(memtable, windowLength: 0) }
    let keys = (0..<3).map { SeriesKey(measurement: Array("m".utf8), tags: [(key: Array("t".utf8), value: Array("\($0)".utf8))]) }
    var points: [ModelPoint] = []
    var clock: Int64 = 0
    for sequence in 1...400 as ClosedRange<UInt64> {
      // Mostly a row or two of a receiver between those of others, sometimes many; of some seeds some come late, of some two have one time.
      let countMax = Int.random(in: 0..<10, using: &random) == 0 ? 80 : 5
      let count = Int.random(in: 1...countMax, using: &random)
      let lines = (0..<count).map { _ in
        clock += 1
        var time = seed % 3 == 2 ? clock / 2 * 10 : clock * 10
        if seed % 2 == 1, Int.random(in: 0..<50, using: &random) == 0 { time = clock - 7 }
        var fields: [(name: String, value: ModelValue)] = [("a", .integer(clock))]
        if sequence % 5 == 0 { fields.append(("b", .float(Double(clock) / 2))) }
        return SentLine(key: keys[Int.random(in: 0..<3, using: &random)], timestamp: time, fields: fields)
      }
      try writers[Int.random(in: 0..<receiverCount, using: &random)].write(lines, sequence: sequence)
      points += lines.map(\.point)
    }
    let run = try #require(memtable.parts().first?.makeRun())
    try compare(run, MemoryRun(points, sequence: 1...400), seed: seed, random: &random)
  }

  @Test("keys that take more memory than is sorted at once come in order, known ones and new ones", arguments: 0..<3 as Range<UInt64>)
  func manyKeys(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let writer = Writer(windowLength: 1_000)
    // Some 7 MB; most are told by another's key.
    let numbers = (0..<1_800).map { _ in Int.random(in: 0..<100_000, using: &random) }
    func line(_ number: Int, time: Int64) -> SentLine {
      let tags = [
        (key: Array("a".utf8), value: Array("\(number % 10)".utf8)), (key: Array("b".utf8), value: Array(repeating: 0x78, count: 4_000)),
        (key: Array("c".utf8), value: Array("\(number)".utf8)),
      ]
      return SentLine(key: SeriesKey(measurement: Array("m".utf8), tags: tags), timestamp: time, fields: [("v", .boolean(true))])
    }
    for (step, count) in [1_500, 1_800].enumerated() {
      let time = Int64(step) * 1_000
      try writer.write(numbers.prefix(count).shuffled(using: &random).map { line($0, time: time) }, sequence: UInt64(step + 1))
      let part = try #require(writer.memtable.parts().last)
      let keys = try RunContents(#require(part.makeRun())).series.map(\.key)
      #expect(keys == Set(numbers.prefix(count).map { line($0, time: time).key }).sorted(), "seed \(seed), step \(step)")
    }
  }

  @Test("tag keys and values are all that series had when asked, of few values and of many, and those that come later")
  func tagValues() throws {
    let writer = Writer(windowLength: 0)
    func text(_ value: TagValueList) -> [String] {
      (0..<value.count).map { String(decoding: value.bytes[value.range($0)], as: UTF8.self) }
    }
    func write(_ numbers: Range<Int>, _ measurement: String, sequence: UInt64) throws {
      let lines = numbers.map { number in
        var tags = [(key: Array("few".utf8), value: Array("f\(number % 7)".utf8))]
        if number % 3 == 0 { tags.append((key: Array("id".utf8), value: Array("i\(number)".utf8))) }
        let key = SeriesKey(measurement: Array(measurement.utf8), tags: tags + [(key: Array("z".utf8), value: Array("\(number)".utf8))])
        return SentLine(key: key, timestamp: Int64(number), fields: [("v", .boolean(true))])
      }
      try writer.write(lines, sequence: sequence)
    }
    func check(_ run: PartRun, _ measurement: String, _ numbers: Range<Int>) throws {
      let name = Array(measurement.utf8)
      #expect(run.tagKeys(of: name) == ["few", "id", "z"].map { Array($0.utf8) })
      for (key, wanted) in [
        ("few", numbers.map { "f\($0 % 7)" }), ("id", numbers.filter { $0 % 3 == 0 }.map { "i\($0)" }),
        ("z", numbers.map { "\($0)" }), ("nosuch", []),
      ] {
        let found = try #require(run.tagValues(of: name, key: Array(key.utf8), where: nil, countMax: .max) { false })
        let areSame = text(found) == Set(wanted).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(areSame, "\(key) of \(measurement): \(found.count) values")
      }
    }
    /// Of conditions, asked twice: the second time only of series that came since.
    func checkConditions(_ run: PartRun, _ numbers: Range<Int>) throws {
      let few = Array("few".utf8)
      for (predicate, wanted) in [
        (TagPredicate.equals(key: few, value: Array("f3".utf8)), numbers.filter { $0 % 7 == 3 }),
        (.notEquals(key: Array("id".utf8), value: []), numbers.filter { $0 % 3 == 0 }),
        (.any(of: (0..<20).map { .equals(key: few, value: Array("f\($0 % 3 + 9 * ($0 / 3))".utf8)) }), numbers.filter { $0 % 7 < 3 }),
        (.or(.matches(key: few, try Regex("^f[01]$")), .not(.constant(true))), numbers.filter { $0 % 7 < 2 }),
        (.and(.equals(key: few, value: Array("f3".utf8)), .equals(key: Array("no".utf8), value: Array("x".utf8))), []),
      ] {
        for _ in 0..<2 {
          let found = try #require(run.tagValues(of: Array("a".utf8), key: Array("z".utf8), where: predicate, countMax: .max) { false })
          #expect(text(found) == wanted.map { "\($0)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
        #expect(throws: StorageError.self) {
          _ = try run.tagValues(of: Array("a".utf8), key: few, where: .not(predicate), countMax: .max) { true }
        }
      }
    }
    try write(0..<5, "a", sequence: 1)
    let part = try #require(writer.memtable.parts().first)
    try check(#require(part.makeRun()), "a", 0..<5)
    try write(5..<6_000, "a", sequence: 2)
    try write(0..<50, "b", sequence: 3)
    let run = try #require(part.makeRun())
    #expect(run.measurements() == ["a", "b"].map { Array($0.utf8) })
    try check(run, "a", 0..<6_000)
    try checkConditions(run, 0..<6_000)
    // Past the 10,000 values that are kept of a key.
    try write(6_000..<12_000, "a", sequence: 4)
    try check(#require(part.makeRun()), "a", 0..<12_000)
    try checkConditions(#require(part.makeRun()), 0..<12_000)
    try check(#require(part.makeRun()), "b", 0..<50)
    #expect(try #require(part.makeRun()).tagKeys(of: Array("c".utf8)) == [])
  }

  private func compare(
    _ run: PartRun, _ model: MemoryRun, seed: UInt64, random: inout SplitMix64
  ) throws {
    #expect(run.sequenceRange == model.sequenceRange && run.timeRange == model.timeRange)
    #expect(run.rowCount >= model.rowCount)
    let measurements = try model.measurements()
    #expect(run.measurements() == measurements, "seed \(seed)")
    try #expect(RunContents(run) == RunContents(model), "seed \(seed)")
    for measurement in measurements {
      #expect(try run.tagKeys(of: measurement) == model.tagKeys(of: measurement))
      // Types that other values replaced may still be named.
      let fields = run.fields(of: measurement)
      #expect(try Set(fields).isSuperset(of: model.fields(of: measurement)))
      #expect(fields == fields.sorted { ($0.name, $0.type) < ($1.name, $1.type) })
      let predicate = TagPredicate.equals(key: Array("t1".utf8), value: Array("v1".utf8))
      #expect(
        try run.series(of: measurement, where: predicate).keyBytes
          == model.series(of: measurement, where: predicate).keyBytes)
    }
    let some = FieldKey(
      name: Array("b".utf8), type: FieldType.allCases.randomElement(using: &random) ?? .float)
    let low = Int64.random(in: 0..<200, using: &random)
    let times = low..<low + Int64.random(in: 1..<200, using: &random)
    for descending in [false, true] {
      try #expect(
        RunContents(run, fields: [some], times: times, descending: descending)
          == RunContents(model, fields: [some], times: times, descending: descending),
        "seed \(seed), \(some), \(times)")
    }
  }
}

private func < (a: ([UInt8], FieldType), b: ([UInt8], FieldType)) -> Bool {
  a.0 == b.0 ? a.1 < b.1 : a.0.lexicographicallyPrecedes(b.0)
}
