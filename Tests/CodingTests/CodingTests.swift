import Coding
import TestSupport
import Testing

@Suite("Blocks of a column")
struct CodingTests {
  @Test("words come back exactly, sealed and opened")
  func roundTrip() throws {
    let words: [UInt64] = [0, .max, 1 << 63, 5, 5, 7]
    var encoder = BlockEncoder(kind: .unsigned)
    var payload: [UInt8] = []
    encoder.encode(words.span, into: &payload)
    var stored: [UInt8] = []
    sealBlock(payload, into: &stored)
    var opened: [UInt8] = []
    try openBlock(stored.span, into: &opened)
    #expect(opened == payload)
    var decoder = BlockDecoder()
    var back: [UInt64] = []
    try decoder.decode(opened.span, kind: .unsigned, count: words.count, rows: 0..<words.count, into: &back)
    #expect(back == words)
  }

  @Test("strings come back")
  func strings() throws {
    let bytes = Array("abcdef".utf8)
    let words: [UInt64] = [0 << 32 | 3, 3 << 32 | 3, 0, 1 << 32 | 2]
    var encoder = BlockEncoder(kind: .string)
    var payload: [UInt8] = []
    encoder.encodeStrings(words.span, bytes: bytes.span, into: &payload)
    var decoder = BlockDecoder()
    var (back, backBytes): ([UInt64], [UInt8]) = ([], [7])
    try decoder.decodeStrings(payload.span, count: 4, rows: 1..<4, into: &back, bytes: &backBytes)
    let strings = back.map { Array(backBytes[Int($0 >> 32)..<Int($0 >> 32) + Int($0 & 0xffff_ffff)]) }
    #expect(strings == [Array("def".utf8), [], Array("bc".utf8)])
  }
}
