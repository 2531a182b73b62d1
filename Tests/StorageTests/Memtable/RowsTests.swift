import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Rows in the log")
struct RowsTests {
  /// A batch's two payloads.
  struct Payloads {
    var definitions: [UInt8]
    var rows: [UInt8]

    init(_ encoder: RowEncoder) {
      definitions = Array(encoder.definitions.elements)
      rows = Array(encoder.rows.elements)
    }

    func replay(_ decoder: RowDecoder, segment: UInt64 = 1, into batch: LineBatch) throws -> RowDecoder.Header
    {
      if !definitions.isEmpty {
        try definitions.withUnsafeBytes { bytes throws in try decoder.define(bytes, segment: segment) }
      }
      return try rows.withUnsafeBytes { bytes throws in
        try decoder.decode(bytes, segment: segment, into: batch)
      }
    }
  }

  static func lines(_ batch: LineBatch, _ names: some RowNames) -> [String] {
    var value = 0
    return (0..<batch.count).map { row in
      let fields = names.fieldList(batch.fieldLists[row]).map { key in
        defer { value += 1 }
        let word = batch.values[value]
        let text =
          key.type == .string
          ? String(
            decoding: batch.strings.elements[Int(word >> 32)..<Int(word >> 32) + Int(word & 0xffff_ffff)],
            as: UTF8.self)
          : String(word)
        return "\(key.name) \(key.type)=\(text)"
      }
      return "\(names.seriesKey(batch.series[row]).bytes) \(fields) \(batch.timestamps[row])"
    }
  }

  @Test(
    "what is encoded decodes to the same rows, over segments and forgotten numbers", .tags(.property),
    arguments: 0..<20)
  func roundTrip(seed: UInt64) throws {
    var source = LineSource(seed: seed)
    source.seriesCount = seed % 2 == 0 ? 5 : 700
    source.times = seed % 3 == 0 ? .min ..< .max : -50..<4_000_000_000
    let writer = Writer()
    let encoder = RowEncoder(receiver: 300)
    let decoder = RowDecoder()
    let decoded = LineBatch()
    var segment: UInt64 = 1
    for step in 0..<12 {
      let lines = source.lines(Int.random(in: 0...80, using: &source.random))
      if step % 5 == 4 { writer.names.forget() }
      if step % 4 == 3 { segment += 1 }
      writer.names.fill(writer.batch, with: lines)
      try writer.place(writer.batch)
      func encode(_ segment: UInt64) {
        encoder.encode(
          writer.batch, names: writer.names, placement: writer.placement, keyspace: KeyspaceID(7),
          segment: segment)
      }
      // Encoded for a segment that was closed meanwhile, or never appended: its definitions must come again.
      if step % 4 == 3 { encode(segment - 1) }
      if step % 3 == 2 { encode(segment) }
      encode(segment)
      encoder.confirm()
      let header = try Payloads(encoder).replay(decoder, segment: segment, into: decoded)
      #expect(header.receiver == 300 && header.keyspace == KeyspaceID(7) && header.rowCount == lines.count)
      #expect(
        Self.lines(decoded, decoder) == Self.lines(writer.batch, writer.names), "seed \(seed), step \(step)")
      // The short way to the times says the same, or nothing.
      let times = Payloads(encoder).rows.withUnsafeBytes { decoder.times(of: $0, segment: segment) }
      let timestamps = lines.map(\.timestamp)
      let hasStrings = lines.contains { $0.fields.contains { $0.value.type == .string } }
      if let low = timestamps.min(), let high = timestamps.max(), !hasStrings {
        #expect(times == low...high, "seed \(seed), step \(step)")
      } else {
        #expect(times == nil, "seed \(seed), step \(step)")
      }
    }
  }

  @Test("times are read over any number of fields, without their values", arguments: [1, 2, 3, 4, 5, 8, 9, 16, 17, 33])
  func times(fieldCount: Int) throws {
    let writer = Writer()
    let lines = (0..<50).map { row in
      SentLine(
        key: SeriesKey(measurement: Array("m".utf8), tags: []), timestamp: Int64(row * 977 % 501),
        fields: (0..<fieldCount).map {
          ("f\($0)", $0 % 3 == 0 ? .integer(Int64(row) << ($0 % 60)) : .float(Double(row) / 7))
        })
    }
    writer.names.fill(writer.batch, with: lines)
    try writer.place(writer.batch)
    let (encoder, decoder, decoded) = (RowEncoder(receiver: 1), RowDecoder(), LineBatch())
    encoder.encode(
      writer.batch, names: writer.names, placement: writer.placement, keyspace: KeyspaceID(7), segment: 1)
    let payloads = Payloads(encoder)
    _ = try payloads.replay(decoder, into: decoded)
    let times = payloads.rows.withUnsafeBytes { decoder.times(of: $0, segment: 1) }
    #expect(times == lines.map(\.timestamp).min()! ... lines.map(\.timestamp).max()!)
    // Cut short, or of another segment, it says nothing.
    for count in 0..<payloads.rows.count {
      let cut = payloads.rows[..<count].withUnsafeBytes { decoder.times(of: $0, segment: 1) }
      if cut != nil { Issue.record("cut at \(count)") }
    }
    #expect(payloads.rows.withUnsafeBytes { decoder.times(of: $0, segment: 2) } == nil)
  }

  @Test("refused rows are neither encoded nor inserted", arguments: 0..<6)
  func refused(seed: UInt64) throws {
    var source = LineSource(seed: seed)
    let writer = Writer(windowLength: 64)
    let lines = source.lines(120)
    let valid: Range<Int64> = 40..<160
    writer.names.fill(writer.batch, with: lines)
    try writer.place(writer.batch, valid: valid)
    let kept = lines.filter { valid.contains($0.timestamp) }
    #expect(writer.placement.acceptedCount == kept.count)
    let encoder = RowEncoder(receiver: 0)
    encoder.encode(
      writer.batch, names: writer.names, placement: writer.placement, keyspace: KeyspaceID(1), segment: 1)
    writer.insert(writer.batch, names: writer.names, sequence: 1)
    #expect(writer.memtable.parts().reduce(0) { $0 + $1.rowCount } == kept.count)

    let (decoder, decoded) = (RowDecoder(), LineBatch())
    _ = try Payloads(encoder).replay(decoder, into: decoded)
    let expected = LineBatch()
    let names = BatchMaker()
    names.fill(expected, with: kept)
    #expect(Self.lines(decoded, decoder) == Self.lines(expected, names), "seed \(seed)")
  }

  @Test("replay makes the memtable that was lost", arguments: 0..<6)
  func replay(seed: UInt64) throws {
    var source = LineSource(seed: seed)
    source.times = 0..<3_000
    let direct = Writer()
    let replayed = Writer()
    let encoders = [RowEncoder(receiver: 1), RowEncoder(receiver: 2)]
    let (decoder, decoded) = (RowDecoder(), LineBatch())
    for sequence in UInt64(1)...30 {
      let segment = sequence / 10 + 1
      let encoder = encoders[Int.random(in: 0...1, using: &source.random)]
      try direct.write(source.lines(30), sequence: sequence)
      encoder.encode(
        direct.batch, names: direct.names, placement: direct.placement, keyspace: direct.keyspace,
        segment: segment)
      encoder.confirm()
      _ = try Payloads(encoder).replay(decoder, segment: segment, into: decoded)
      try replayed.place(decoded)
      replayed.insert(decoded, names: decoder, sequence: sequence)
    }
    let (a, b) = (direct.memtable.parts(), replayed.memtable.parts())
    #expect(a.map(\.window) == b.map(\.window) && a.count == 3)
    for (x, y) in zip(a, b) {
      try #expect(RunContents(#require(x.makeRun())) == RunContents(#require(y.makeRun())), "seed \(seed)")
      #expect(x.sequenceRange == y.sequenceRange && x.rowCount == y.rowCount)
    }
  }

  @Test("a line of ten small integers takes at most 25 bytes, of ten full doubles at most 92")
  func sizes() throws {
    for (value, byteCountMax) in [(ModelValue.integer(-60), 25), (.float(0.1), 92)] {
      let writer = Writer()
      let lines = (0..<1_000).map { row in
        SentLine(
          key: SeriesKey(
            measurement: Array("cpu".utf8), tags: [(Array("host".utf8), Array("\(row % 300)".utf8))]),
          timestamp: Int64(row / 300) * 10_000_000_000,
          fields: (0..<10).map { ("f\($0)", value) })
      }
      writer.names.fill(writer.batch, with: lines)
      try writer.place(writer.batch)
      let encoder = RowEncoder(receiver: 0)
      encoder.encode(
        writer.batch, names: writer.names, placement: writer.placement, keyspace: KeyspaceID(1), segment: 1)
      #expect(encoder.rows.count <= byteCountMax * lines.count, "\(encoder.rows.count) bytes")
    }
  }

  @Test("every truncation is refused, with an offset in the payload")
  func truncations() throws {
    let payloads = try sample()
    for (which, payload) in [payloads.definitions, payloads.rows].enumerated() {
      for count in 0..<payload.count {
        let error = #expect(throws: StorageError.self) {
          var cut = payloads
          if which == 0 {
            cut.definitions = count == 0 ? [0x80] : Array(payload.prefix(count))
          } else {
            cut.rows = Array(payload.prefix(count))
          }
          let batch = LineBatch()
          do { _ = try cut.replay(RowDecoder(), into: batch) } catch {
            if batch.count != 0 { return }
            throw error
          }
        }
        if error?.code != .corrupt || (error?.offset ?? .max) > UInt64(payload.count) {
          Issue.record("cut at \(count): \(String(describing: error))")
        }
      }
    }
  }

  @Test("flipped bits give other rows or an error, never a trap", .tags(.property), arguments: 0..<4)
  func bitFlips(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let payloads = try sample()
    var errors = 0
    for _ in 0..<800 {
      var damaged = payloads
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        if Bool.random(using: &random) {
          damaged.rows[Int.random(in: 0..<damaged.rows.count, using: &random)] ^=
            1 << UInt8.random(in: 0..<8, using: &random)
        } else {
          damaged.definitions[Int.random(in: 0..<damaged.definitions.count, using: &random)] ^=
            1 << UInt8.random(in: 0..<8, using: &random)
        }
      }
      let (decoder, batch) = (RowDecoder(), LineBatch())
      do {
        _ = try damaged.replay(decoder, into: batch)
        _ = Self.lines(batch, decoder)
        // What decodes can be inserted.
        let writer = Writer(windowLength: 0)
        try writer.place(batch)
        writer.insert(batch, names: decoder, sequence: 1)
      } catch { errors += 1 }
    }
    #expect(errors > 100)
  }

  private func sample() throws -> Payloads {
    var source = LineSource(seed: 99)
    source.seriesCount = 9
    let writer = Writer()
    writer.names.fill(writer.batch, with: source.lines(25))
    try writer.place(writer.batch)
    let encoder = RowEncoder(receiver: 200)
    encoder.encode(
      writer.batch, names: writer.names, placement: writer.placement, keyspace: KeyspaceID(9), segment: 1)
    return Payloads(encoder)
  }
}
