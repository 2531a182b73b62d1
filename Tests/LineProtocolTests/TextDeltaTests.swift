import LineProtocol
import TestSupport
import Testing

@Suite("Text delta")
struct TextDeltaTests {
  /// The delta of a text; `nil` where it takes more than half of it.
  private func delta(_ text: [UInt8], _ base: [UInt8]) -> [UInt8]? {
    var out = [UInt8](repeating: 0xff, count: text.count / 2 + 1)
    let count = text.withUnsafeBufferPointer { text in
      base.withUnsafeBufferPointer { base in
        out.withUnsafeMutableBufferPointer { TextDelta.make(text, base: base, in: $0.baseAddress!) }
      }
    }
    // The byte behind the room that it has is as it was.
    #expect(out.last == 0xff)
    return count.map { Array(out.prefix($0)) }
  }

  private func written(_ delta: [UInt8], _ base: [UInt8], count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { text, initialized in
      TextDelta.write(
        UnsafeMutableBufferPointer(rebasing: text[..<count]), base: base.withUnsafeBufferPointer { $0.baseAddress! },
        delta: delta.withUnsafeBufferPointer { $0.baseAddress! })
      initialized = count
    }
  }

  private func isEqual(_ text: [UInt8], _ delta: [UInt8], _ base: [UInt8]) -> Bool {
    text.withUnsafeBufferPointer { text in
      TextDelta.isEqual(
        text, base: base.withUnsafeBufferPointer { $0.baseAddress! }, delta: delta.withUnsafeBufferPointer { $0.baseAddress! })
    }
  }

  @Test("a value changed, made longer or shorter, a tag more or less: a few bytes", arguments: [
    ("cpu,host=web-1,region=eu-central-1,zone=a ", "cpu,host=web-7,region=eu-central-1,zone=a ", 4),
    ("cpu,host=web-1000,region=eu-central-1,zone=a ", "cpu,host=web-7,region=eu-central-1,zone=a ", 10),
    ("cpu,host=web-7,region=eu-central-1,zone=a ", "cpu,host=web-1000,region=eu-central-1,zone=a ", 10),
    ("cpu,host=web-1,os=x,region=eu-central-1,zone=a ", "cpu,host=web-1,region=eu-central-1,zone=a ", 14),
    ("cpu,host=web-1,region=eu-central-1,zone=a ", "cpu,host=web-1,os=x,region=eu-central-1,zone=a ", 9),
    ("cpu,host=web-1,region=eu-central-1,zone=a ", "cpu,host=web-1,region=eu-central-1,zone=a ", 3),
  ])
  func few(text: String, base: String, countMax: Int) throws {
    let (text, base) = (Array(text.utf8), Array(base.utf8))
    let told = try #require(delta(text, base))
    #expect(told.count <= countMax + 3, "\(told.count)")
    #expect(written(told, base, count: text.count) == text)
    #expect(isEqual(text, told, base))
  }

  @Test("a text unlike its base, or short, has none")
  func none() {
    #expect(delta(Array("abcdefghijklmnop".utf8), Array("0123456789012345".utf8)) == nil)
    #expect(delta(Array("ab".utf8), Array("ab".utf8)) == nil)
    #expect(delta(Array("abcdefghijklmnop".utf8), []) == nil)
    #expect(delta([], Array("ab".utf8)) == [])
  }

  @Test("lengths around the most that a step counts", arguments: [254, 255, 256, 510, 511, 65_535])
  func long(count: Int) throws {
    let base = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 / 3) }
    for text in [base, base + [1], [1] + base, Array(base.dropLast()), Array(base.dropFirst())] {
      let told = try #require(delta(text, base))
      #expect(told.count <= (count / 255 + 2) * 3 + 40)
      #expect(written(told, base, count: text.count) == text && isEqual(text, told, base))
    }
  }

  @Test("random edits come back to the byte, and no other text is taken for them", arguments: 1...8 as ClosedRange<UInt64>)
  func random(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    func number(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    var made = 0
    for _ in 0..<2_000 {
      // Few letters: many places look alike.
      let base = (0..<number(400)).map { _ in UInt8(97 + number(seed % 2 == 0 ? 3 : 20)) }
      var text = base
      for _ in 0..<number(6) {
        let start = number(text.count + 1)
        let end = min(text.count, start + number(20))
        text.replaceSubrange(start..<end, with: (0..<number(20)).map { _ in UInt8(97 + number(3)) })
      }
      guard let told = delta(text, base), !text.isEmpty else { continue }
      made += 1
      #expect(told.count <= text.count / 2)
      #expect(written(told, base, count: text.count) == text)
      #expect(isEqual(text, told, base))
      var other = text
      other[number(text.count)] ^= 1
      #expect(!isEqual(other, told, base))
    }
    #expect(made > 500)
  }
}
