import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: failing disks and several threads")
struct TableFaultTests {
  private static var model: MemoryRun {
    MemoryRun(TableSamples.points(seed: 91, longRowCount: 1_300), sequence: 1...1)
  }

  @Test("every call that fails while writing is told, and the file is then no table")
  func writing() throws {
    let model = Self.model
    func write(_ files: FailingFileSystem) throws -> TableState {
      let file = try files.create("table.sst")
      var options = TableOptions()
      options.bufferByteCount = 4_096
      let writer = try TableWriter(file: file, identity: TableSamples.identity(), options: options)
      for series in model.series {
        try writer.beginSeries(series.key)
        let fields = try model.fields(of: Array(series.key.measurement))
        try writer.append(TableSamples.batch(series.points, fields: fields))
      }
      return try writer.finish()
    }
    let counting = FailingFileSystem(wrapping: MemoryFileSystem())
    _ = try write(counting)
    #expect(counting.callCount > 5)
    for call in 1...counting.callCount {
      let files = FailingFileSystem(wrapping: MemoryFileSystem())
      files.fail(at: call, with: .io)
      #expect(throws: StorageError.self, "call \(call)") { try write(files) }
    }
  }

  @Test("a read that fails twice is told, again at the next call, and does not stay in the cache")
  func reading() throws {
    let model = Self.model
    let memory = MemoryFileSystem()
    let state = try TableSamples.write(model, to: try memory.create("table.sst"))
    var failures = 0
    for call in stride(from: 1, to: 400, by: 7) {
      let files = FailingFileSystem(wrapping: memory)
      let cache = BlockCache(byteCountMax: 1 << 20)
      files.fail { _, _, number in number == call || number == call + 1 ? .io : nil }
      guard let file = try? files.open("table.sst"),
        let table = try? Table.open(file: file, state: state, cache: cache)
      else {
        failures += 1
        continue
      }
      do {
        _ = try Self.sum(table)
      } catch {
        #expect((error as? StorageError)?.code == .io)
        failures += 1
      }
      files.fail(where: nil)
      #expect(try Self.sum(table) == model.rowCount)
    }
    #expect(failures > 3)
  }

  @Test("after a throw a reader throws the same")
  func sameThrow() throws {
    let memory = MemoryFileSystem()
    let state = try TableSamples.write(Self.model, to: try memory.create("table.sst"))
    let files = FailingFileSystem(wrapping: memory)
    let table = try Table.open(
      file: try files.open("table.sst"), state: state, cache: BlockCache(byteCountMax: 0))
    let measurement = try #require(try table.measurements().first)
    let reader = table.makeReader(of: measurement, fields: try table.fields(of: measurement))
    try reader.begin(0, times: Int64.min..<Int64.max, descending: false)
    files.fail(where: { call, _, _ in call == .read ? .io : nil })
    let first = #expect(throws: StorageError.self) { try reader.next() }
    files.fail(where: nil)
    let second = #expect(throws: StorageError.self) { try reader.next() }
    #expect(first == second)
  }

  @Test("several threads read one table through one small cache")
  func threads() async throws {
    let model = Self.model
    let table = try TableSamples.table(model, cache: BlockCache(byteCountMax: 60_000))
    let counts = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try Self.sum(table) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(counts == Array(repeating: model.rowCount, count: 4))
  }

  @Test("a merge's reader leaves the cache as it is")
  func streaming() throws {
    let model = Self.model
    let cache = BlockCache(byteCountMax: 8 << 20)
    let table = try TableSamples.table(model, cache: cache)
    for measurement in try table.measurements() {
      _ = try table.series(of: measurement, where: nil)
    }
    let before = cache.byteCount
    #expect(try Self.sum(StreamedTable(table)) == model.rowCount)
    // The index enters it, the rows do not.
    let index = cache.byteCount - before
    #expect(try Self.sum(table) == model.rowCount)
    #expect(cache.byteCount - before > 2 * index)
  }

  /// Reads all rows and counts them.
  private static func sum(_ run: any SortedRun) throws -> Int {
    var count = 0
    for measurement in try run.measurements() {
      let fields = try run.fields(of: measurement)
      let reader = run.makeReader(of: measurement, fields: fields)
      var batch = ColumnBatch(fields: fields)
      for ordinal in try run.series(of: measurement, where: nil).ordinals {
        try reader.begin(ordinal, times: Int64.min..<Int64.max, descending: false)
        while try reader.next() != nil {
          try reader.read(into: &batch)
          count += batch.count
        }
      }
    }
    return count
  }
}
