import Query
import Testing

@Suite("The header of a file in a tar")
struct TarHeaderTests {
  @Test("a header is 512 bytes and reads back", arguments: [0, 1, 511, 512, 8_589_934_591])
  func roundTrip(byteCount: Int) throws {
    let header = TarHeader(name: "tables/0000001/20261120T000000Z-0000000001.sst", fileByteCount: byteCount)
    let bytes = header.encode()
    #expect(bytes.count == TarHeader.byteCount && TarHeader.begins(bytes))
    #expect(try TarHeader(decoding: bytes[...]) == header)
    #expect((byteCount + TarHeader.paddingByteCount(of: byteCount)) % 512 == 0)
    #expect(TarHeader.paddingByteCount(of: byteCount) < 512)
  }

  @Test("a header with any one byte changed is refused, or says the same")
  func damage() {
    let header = TarHeader(name: "a.sst", fileByteCount: 12_345)
    for place in 0..<TarHeader.byteCount {
      for flip: UInt8 in [1, 16, 0x80] {
        var bytes = header.encode()
        bytes[place] ^= flip
        do {
          #expect(try TarHeader(decoding: bytes[...]) == header, "\(place)")
        } catch {
          #expect(!error.reason.isEmpty)
        }
      }
    }
  }

  @Test("what is no tar does not begin like one")
  func others() {
    #expect(TarHeader.begins(TarHeader.end))
    for bytes in [[], Array("cpu v=1".utf8), [UInt8](repeating: 0, count: 1023), [UInt8](repeating: 0, count: 1025)] {
      #expect(!TarHeader.begins(bytes))
      #expect(throws: TarHeader.Failure.self) { try TarHeader(decoding: bytes[...]) }
    }
  }
}
