import LineProtocol
import TestSupport
import Testing

@Suite("Tagged table")
struct TaggedTableTests {
  /// Few hashes for many words, so that searches run into each other, over the end too.
  private func hash(_ word: UInt64, _ hashCount: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (word % hashCount) &* 0x9e37_79b9_7f4a_7c15 >> 32)
  }

  @Test("numbers that come in order are all found, and no other one", arguments: [1, 3, 40, .max] as [UInt64])
  func numbers(hashCount: UInt64) {
    var table = TaggedTable<UInt32>()
    for number in 0..<(hashCount == 1 ? UInt32(60) : 3_000) {
      table.insertNext(hash: hash(UInt64(number), hashCount)) { hash(UInt64($0), hashCount) }
    }
    #expect(table.count == (hashCount == 1 ? 60 : 3_000))
    for number in 0..<UInt32(4_000) {
      let slot = table.find(hash(UInt64(number), hashCount)) { $0 == number }
      #expect(slot.map { table[$0] } == (number < UInt32(table.count) ? number : nil))
    }
  }

  @Test(
    "whatever comes and goes, what is in is found, each once, and nothing else",
    arguments: [(UInt64(1), UInt64(1)), (2, 3), (3, 40), (4, 2_000), (5, .max)])
  func model(seed: UInt64, hashCount: UInt64) {
    var random = SplitMix64(seed: seed)
    var table = TaggedTable<UInt64>()
    var model: Set<UInt64> = []
    let words: UInt64 = hashCount == 1 ? 40 : 2_000
    for step in 0..<20_000 {
      let word = UInt64.random(in: 0..<words, using: &random)
      let slot = table.find(hash(word, hashCount)) { $0 == word }
      #expect((slot != nil) == model.contains(word), "step \(step)")
      if let slot {
        #expect(table[slot] == word)
        // Two phases: mostly coming, mostly going.
        if Int.random(in: 0..<4, using: &random) < (step / 5_000).isMultiple(of: 2).asOneOrThree {
          table.remove(slot) { hash($0, hashCount) }
          model.remove(word)
        }
      } else {
        table.insert(word, hash: hash(word, hashCount)) { hash($0, hashCount) }
        model.insert(word)
      }
      #expect(table.count == model.count)
    }
    var found: [UInt64] = []
    table.forEach { found.append($0) }
    #expect(found.sorted() == model.sorted())
  }

  @Test("from a thousand words on it takes at most 7.3 bytes a word of 4 bytes, 13.1 a word of 8")
  func memory() {
    var (small, large) = (TaggedTable<UInt32>(), TaggedTable<UInt64>())
    for word in 0..<UInt64(100_000) {
      small.insert(UInt32(word), hash: hash(word, .max)) { hash(UInt64($0), .max) }
      large.insert(word, hash: hash(word, .max)) { hash($0, .max) }
      if word < 1_000 { continue }
      #expect(Double(small.byteCount) <= 7.3 * Double(small.count))
      #expect(Double(large.byteCount) <= 13.1 * Double(large.count))
    }
    // Made for so many, it does not grow until they are in.
    let made = TaggedTable<UInt32>(countMax: 7_000)
    var filled = made
    for word in 0..<UInt64(7_000) { filled.insert(UInt32(word), hash: hash(word, .max)) { _ in 0 } }
    #expect(filled.byteCount == made.byteCount)
  }
}

extension Bool {
  /// How often of four what is found is taken out.
  fileprivate var asOneOrThree: Int { self ? 1 : 3 }
}
