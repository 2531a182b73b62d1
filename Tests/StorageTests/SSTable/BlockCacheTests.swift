import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Block cache")
struct BlockCacheTests {
  @Test("a second read comes from the cache; without one each comes from the file")
  func hits() throws {
    let model = MemoryRun((0..<3_000).map { "m,id=1 v=\($0)i \($0)" }.joined(separator: "\n"), sequence: 1)
    for (capacity, isRead) in [(1 << 20, false), (0, true)] {
      let cache = BlockCache(byteCountMax: capacity)
      let table = try TableSamples.table(model, cache: cache)
      #expect(table.bytesRead == 0, "opening reads header and footer only")
      func scan() throws -> Int {
        let fields = try table.fields(of: Array("m".utf8))
        let key = SeriesKey(measurement: Array("m".utf8), tags: [])
        return try readPoints(
          table.makeReader(of: Array("m".utf8), fields: fields), 0, key: key, fields: fields, times: 0..<5_000
        ).count
      }
      #expect(try scan() == 3_000)
      let before = table.blocksRead
      #expect(before > 0 && cache.misses > 0)
      #expect(try scan() == 3_000)
      #expect((table.blocksRead > before) == isRead)
      #expect((cache.hits > 0) == !isRead)
      #expect(cache.byteCount <= capacity)
    }
  }

  @Test(
    "it never holds more than its bound, and is right under eviction", .tags(.property),
    arguments: [4_000, 40_000, 400_000])
  func bound(byteCountMax: Int) throws {
    let model = MemoryRun(TableSamples.points(seed: 77), sequence: 1...1)
    let cache = BlockCache(byteCountMax: byteCountMax)
    let tables = try (0..<3).map { _ in try TableSamples.table(model, cache: cache) }
    var largest = 0
    for _ in 0..<3 {
      for table in tables {
        for measurement in try table.measurements() {
          let expected = try model.series(of: measurement, where: nil)
          let found = try table.series(of: measurement, where: nil)
          #expect(found.keyBytes == expected.keyBytes)
          largest = max(largest, cache.byteCount)
        }
      }
    }
    #expect(largest <= byteCountMax)
    #expect(cache.byteCount > 0 || byteCountMax < 16 * 600)
  }

  private struct Watched { weak var object: AnyObject? }

  @Test("what is kept of a table holds neither its file nor the cache that it lies in")
  func lifetime() throws {
    let lines = (0..<20).map { "m,id=\($0) v=1i 1" }.joined(separator: "\n")
    let files = MemoryFileSystem()
    let state = try TableSamples.write(MemoryRun(lines, sequence: 1), to: files.create("t"))
    func read(_ cache: BlockCache) throws -> Watched {
      let file = try files.open("t")
      let table = try Table.open(file: file, state: state, cache: cache)
      #expect(try table.series(of: Array("m".utf8), where: nil).count == 20)
      return Watched(object: file)
    }
    func readAndLetGo() throws -> Watched {
      let cache = BlockCache(byteCountMax: 1 << 20)
      let file = try read(cache)
      #expect(file.object == nil && cache.blockCount > 0)
      return Watched(object: cache)
    }
    #expect(try readAndLetGo().object == nil)
  }
}
