import LineProtocol
import TestSupport
import Testing

@Suite("Vocabulary")
struct VocabularyTests {
  private func parse(_ text: String, _ parser: LineParser, _ batch: LineBatch) {
    Array(text.utf8).withUnsafeBytes { _ = parser.parse($0, now: 0, into: batch) }
  }

  @Test("a spelling keeps its number; spellings of one series share its key")
  func numbers() {
    let parser = LineParser(vocabulary: Vocabulary())
    let batch = LineBatch()
    parse("m,a=1,b=2 f=1\nm,b=2,a=1 f=1\nm,a=1,b=2 f=2\n", parser, batch)
    #expect(batch.series.elements.map { $0 } == [0, 1, 0])
    #expect(parser.vocabulary.seriesKey(0) == parser.vocabulary.seriesKey(1))
    #expect(parser.vocabulary.spelling(1) == Array("m,b=2,a=1".utf8))
    #expect(parser.vocabulary.fieldListCount == 1)
  }

  @Test("a key has names unescaped and tags in order, however many and long they are, with escapes and without", arguments: 0..<4)
  func keys(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let parser = LineParser(vocabulary: Vocabulary())
    let batch = LineBatch()
    func name(_ alphabet: [String], _ most: Int) -> String {
      (0..<Int.random(in: 1...most, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "" }.joined()
    }
    for _ in 0..<300 {
      let plain = ["a", "b", "é", "_", "-"]
      let alphabet = Bool.random(using: &random) ? plain : plain + [" ", ","]
      var tags: [String: String] = [:]
      for _ in 0..<Int.random(in: 0...20, using: &random) { tags[name(alphabet, 9)] = name(alphabet + ["="], 200) }
      let measurement = "m" + name(alphabet + ["="], 5)
      func escaped(_ text: String, _ marks: String) -> String {
        text.map { marks.contains($0) ? "\\\($0)" : String($0) }.joined()
      }
      // An equals sign may be a value's first byte unescaped, and anywhere in a measurement.
      let line = escaped(measurement, " ,") + tags.map { ",\(escaped($0.key, " ,="))=\(escaped($0.value, " ,="))" }.joined()
      batch.reset()
      parse(line + " f=1\n", parser, batch)
      let wanted = SeriesKey(
        measurement: Array(measurement.utf8), tags: tags.map { (Array($0.key.utf8), Array($0.value.utf8)) })
      #expect(batch.rejects.isEmpty && batch.series.count == 1, "\(line)")
      #expect(parser.vocabulary.seriesKey(batch.series[0]) == wanted, "\(line)")
      #expect(parser.vocabulary.spelling(batch.series[0]) == Array(line.utf8), "\(line)")
    }
    for (line, value) in [("m,a==b f=1\n", "=b"), ("m,b=1,a== f=1\n", "=")] {
      batch.reset()
      parse(line, parser, batch)
      #expect(parser.vocabulary.seriesKey(batch.series[0]).value(of: Array("a".utf8)).map { Array($0) } == Array(value.utf8))
    }
  }

  @Test("a key is the same when it is asked for at once, while others are, and long after", arguments: [1, 2] as [UInt64])
  func freshKeys(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let parser = LineParser(vocabulary: Vocabulary())
    let batch = LineBatch()
    var wanted: [SeriesKey] = []
    func check(_ number: Int) {
      var bytes: [UInt8] = []
      parser.vocabulary.withSeriesKey(UInt32(number)) { bytes = Array($0) }
      #expect(bytes == wanted[number].bytes && parser.vocabulary.seriesKey(UInt32(number)) == wanted[number], "series \(number)")
    }
    // Three orders of tags in turns, now and then an escape, which is read the general way; keys of a megabyte in all.
    for round in 0..<40 {
      var lines = ""
      for _ in 0..<200 {
        let number = wanted.count
        let value = String(repeating: "v", count: Int.random(in: 1...200, using: &random)) + "\(number)"
        let name = number % 50 == 49 ? "a,b" : "m"
        let tags = number % 3 == 0 ? [("z", value), ("a", "1")] : number % 3 == 1 ? [("a", value), ("z", "1")] : [("k", value)]
        lines += name.replacing(",", with: "\\,") + tags.map { ",\($0.0)=\($0.1)" }.joined() + " f=1 \(number)\n"
        wanted.append(
          SeriesKey(
            measurement: Array(name.utf8), tags: tags.map { (key: Array($0.0.utf8), value: Array($0.1.utf8)) }))
      }
      batch.reset()
      parse(lines, parser, batch)
      #expect(batch.series.elements.map { Int($0) } == Array(round * 200..<wanted.count))
      for number in round * 200..<wanted.count { check(number) }
    }
    for number in wanted.indices.shuffled(using: &random).prefix(2_000) { check(number) }
    parser.vocabulary.forget()
    batch.reset()
    parse("n,k=1 f=1\nn,k=2 f=1\n", parser, batch)
    wanted = ["1", "2"].map { SeriesKey(measurement: Array("n".utf8), tags: [(key: Array("k".utf8), value: Array($0.utf8))]) }
    check(1)
    check(0)
  }

  @Test("bad lines leave nothing behind")
  func badLines() {
    let parser = LineParser(vocabulary: Vocabulary())
    let batch = LineBatch()
    for index in 0..<1_000 {
      parse("m\(index) f\(index)=x\nm\(index)\nm\(index),time=1 f=1\nm f=1 x\n", parser, batch)
    }
    #expect(parser.vocabulary.seriesCount == 0)
    #expect(parser.vocabulary.fieldListCount == 0)
    #expect(parser.vocabulary.byteCount == 0)
  }

  @Test("past a bound all is forgotten, but only when a batch begins")
  func bounds() {
    var limits = Vocabulary.Limits()
    limits.seriesCountMax = 10
    let parser = LineParser(vocabulary: Vocabulary(limits: limits))
    let batch = LineBatch()
    for index in 0..<10 { parse("m\(index) f=1\n", parser, batch) }
    batch.reset()
    parse("m0 f=1\nm10 f=1\n", parser, batch)
    #expect(parser.vocabulary.generation == 0)
    #expect(points(of: batch, parser.vocabulary).count == 2)
    parse("m11 f=1\n", parser, batch)
    #expect(parser.vocabulary.generation == 0)
    batch.reset()
    parse("m11 f=1\nm0 f=1\nm0 f=1\n", parser, batch)
    #expect(parser.vocabulary.generation == 1)
    #expect(parser.vocabulary.seriesCount == 2)
    #expect(
      points(of: batch, parser.vocabulary).map { Array($0.key.measurement) }
        == ["m11", "m0", "m0"].map { Array($0.utf8) })
  }

  @Test("spellings that are kept as deltas have their numbers, keys and bytes, and are few bytes")
  func deltas() throws {
    let parser = LineParser(vocabulary: Vocabulary())
    let batch = LineBatch()
    let region = String(repeating: "e", count: 130)
    // Two shapes in turns, values of several lengths, escapes, and now and then one like no other.
    func spelling(_ number: Int) -> String {
      if number % 1_000 == 999 { return "lonely\(number),k=\(String(repeating: "x\(number)", count: 20))" }
      return number % 2 == 0
        ? "http,host=host-\(number % 77),region=\(region),request\\ id=r\(number)"
        : "disk,path=/var/\(number * 7_919 % 100_003)/data,host=host\\,\(number % 13),region=\(region)"
    }
    let count = 20_000
    for number in 0..<count {
      parse("\(spelling(number)) f=1i 1\n", parser, batch)
      if batch.count == 1_000 { batch.reset() }
    }
    let vocabulary = parser.vocabulary
    #expect(vocabulary.seriesCount == count && vocabulary.generation == 0)
    let whole = (0..<count).reduce(0) { $0 + spelling($1).utf8.count + 1 }
    #expect(vocabulary.byteCount < 1 << 20 + whole / 4, "\(vocabulary.byteCount) of \(whole)")
    // Found again by their hashes, by the series before, and not found where a byte differs.
    batch.reset()
    var lines = ""
    for number in [7, 19_998, 19_999, 12_345, 12_346, 12_347, 12_345, 12_346, 12_347] { lines += "\(spelling(number)) f=1i 2\n" }
    parse(lines, parser, batch)
    #expect(batch.series.elements.map { $0 } == [7, 19_998, 19_999, 12_345, 12_346, 12_347, 12_345, 12_346, 12_347])
    for number in stride(from: 0, to: count, by: 37) {
      #expect(String(decoding: vocabulary.spelling(UInt32(number)), as: UTF8.self) == spelling(number))
    }
    #expect(vocabulary.seriesKey(12_346).value(of: Array("request id".utf8)).map(Array.init) == Array("r12346".utf8))
    let changed = Array("\(spelling(19_998)) f=1i 2\n".utf8)
    for place in 5..<spelling(19_998).utf8.count where changed[place] == UInt8(ascii: "e") {
      batch.reset()
      var other = changed
      other[place] = UInt8(ascii: "E")
      parse(String(decoding: other, as: UTF8.self), parser, batch)
      #expect(Int(batch.series[0]) >= count)
    }
  }

  @Test("many series and field lists are found again, in any order", arguments: [1, 2] as [UInt64])
  func many(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let parser = LineParser(vocabulary: Vocabulary(hashKey: seed))
    let batch = LineBatch()
    let lines = (0..<3_000).map {
      "m,host=h\($0),long=\(String(repeating: "x", count: 1 + $0 % 40)) f\($0 % 50)=\($0)\n"
    }
    parse(lines.joined(), parser, batch)
    let numbers = batch.series.elements.map { $0 }
    #expect(numbers == Array(0..<3_000))
    let order = (0..<3_000).shuffled(using: &random)
    batch.reset()
    parse(order.map { lines[$0] }.joined(), parser, batch)
    #expect(batch.series.elements.map { Int($0) } == order)
    #expect(parser.vocabulary.fieldListCount == 50)
  }
}
