import FoundationEssentials
import Glibc
import LineProtocol
import Storage
import TestSupport
import Testing

/// What a merge holds in memory does not grow with what it merges.
@Suite("Memory of a merge")
struct CompactionMemoryTests {
  /// Whether a sanitizer is in the process: its own memory would be counted.
  private static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

  @Test(
    "a merge of eight times the rows takes no more memory, and less than a bound",
    .enabled(if: !isSanitized, "skipped: the memory of the sanitizer would be counted"))
  func bounded() async {
    // In a process of its own, whose memory is counted as a whole.
    await #expect(processExitsWith: .success) {
      // The first one also brings in code and what the allocator keeps.
      let small = try Self.peak(seriesCount: 20)
      let large = try Self.peak(seriesCount: 160)
      precondition(small < 16 << 20, "a merge took \(small) bytes")
      precondition(
        large < 4 << 20,
        "a merge of eight times the rows took \(large) bytes beyond those of the first, \(small)")
    }
  }

  /// Merges two runs that overlap everywhere; returns the most resident bytes meanwhile, beyond those before.
  private static func peak(seriesCount: Int) throws -> Int {
    try TemporaryDirectory.with { (directory: String) throws in
      let fileSystem = POSIXFileSystem(root: directory)
      let cache = BlockCache(byteCountMax: 1 << 20)
      let runs = try (1...2 as ClosedRange<UInt64>).map { sequence in
        StreamedTable(try table(fileSystem, cache, seriesCount: seriesCount, sequence: sequence))
      }
      let before = try residentByteCount()
      var most = before
      var merge = TableMerge(
        runs: runs, identity: identity(9, 1...2), floor: .min, fileSystem: fileSystem, takeTableNumber: { 9 })
      merge.pace = { _ throws(StorageError) in most = max(most, (try? residentByteCount()) ?? .max) }
      let result = try merge.run()
      precondition(result.rowCount == seriesCount * 2 * rowCount, "\(result.rowCount) rows")
      return most - before
    }
  }

  private static func residentByteCount() throws -> Int {
    // Size, then resident, in pages (proc(5)).
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (Int(fields[1]) ?? 0) * Int(getpagesize())
  }

  /// Rows of a series in one run: more than a row group.
  private static let rowCount = 20_000

  private static func identity(_ number: UInt64, _ sequences: ClosedRange<UInt64>) -> TableIdentity {
    TableIdentity(
      number: number, keyspace: KeyspaceID(1), database: "d", policy: "p", window: 0..<1 << 40,
      sequenceRange: sequences,
      horizon: .min)
  }

  /// A table written batch by batch, every second row of time.
  private static func table(
    _ fileSystem: POSIXFileSystem, _ cache: BlockCache, seriesCount: Int, sequence: UInt64
  ) throws -> Table {
    try fileSystem.createDirectory("tables/0000001")
    let name = tableFileName(keyspace: KeyspaceID(1), windowStart: 0, number: sequence)
    let writer = try TableWriter(
      file: try fileSystem.create(name), identity: identity(sequence, sequence...sequence),
      options: TableOptions())
    var batch = ColumnBatch(fields: [FieldKey(name: Array("v".utf8), type: .integer)])
    for series in 0..<seriesCount {
      let number = String(10_000 + series)
      try writer.beginSeries(
        SeriesKey(measurement: Array("m".utf8), tags: [(Array("s".utf8), Array(number.utf8))]))
      batch.reset()
      for row in 0..<rowCount {
        batch.timestamps.append(Int64(row * 2) + Int64(sequence))
        batch.columns[0].values.append(UInt64(row * 7_919 % 1_000))
      }
      batch.columns[0].presentCount = rowCount
      try writer.append(batch)
    }
    let state = try writer.finish()
    return try Table.open(file: try fileSystem.open(name), state: state, cache: cache)
  }
}
