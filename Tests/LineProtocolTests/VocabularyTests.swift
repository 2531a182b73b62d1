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
