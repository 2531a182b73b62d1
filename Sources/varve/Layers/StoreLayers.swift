import LineProtocol
import Query
import Storage

/// A store on a disk in memory, with all of a load in its log and memtable.
final class FilledStore {
  let store: Store
  let fileSystem: MemoryFileSystem

  /// - Parameter isDurable: returns when the log has all of it, and what a kill leaves of the disk can be asked for.
  init(_ load: ParsedLoad, isDurable: Bool = false, _ watch: inout Stopwatch) throws {
    fileSystem = MemoryFileSystem(isForgetful: isDurable)
    var options = Self.options
    if isDurable { options.sync = .group }
    store = try Store.open(fileSystem: fileSystem, options: options)
    try store.createDatabase("bench")
    let target = try store.target(database: "bench", policy: nil)
    let receiver = store.makeReceiver()
    let parser = LineParser(vocabulary: receiver.vocabulary)
    let batch = LineBatch()
    var last: Ticket?
    for piece in load.pieces {
      batch.reset()
      unsafe parser.parse(load.source.lines(piece), now: 0, firstLine: 1, into: batch)
      let result = try watch.time { try receiver.commit(batch, to: target) }
      guard result.acceptedCount == batch.count else {
        throw CommandFailure("the store refused lines of a workload")
      }
      last = result.ticket
    }
    if let last { try store.wait(for: last) }
  }

  /// Everything stays in memory, and in the log.
  static var options: StoreOptions {
    var options = StoreOptions()
    options.sync = .none
    options.memoryByteCount = 16 << 30
    options.walByteCountMax = 16 << 30
    options.reserveByteCount = 0
    // As a store in memory has them: what is allocated and not used is memory too.
    options.segmentByteCount = 4 << 20
    return options
  }

  static func tally(_ store: Store) throws -> RunTally {
    try RunTally(store.snapshot(of: store.keyspace(database: "bench")))
  }
}

/// Batches into log and memtable, without a sync.
final class CommitLayer: Layer {
  let name = "commit"
  let unit = "values"
  private let load: ParsedLoad

  init(_ load: ParsedLoad) { self.load = load }

  var count: Int { load.valueCount }
  var byteCount: Int { 0 }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    let filled = try FilledStore(load, &watch)
    let isRight = try FilledStore.tally(filled.store) == load.tally
    try filled.store.close()
    return isRight
  }
}

/// A log to a memtable: what a start does after a crash.
final class RecoverLayer: Layer {
  let name = "recover"
  let unit = "values"
  private let load: ParsedLoad
  private let fileSystem: MemoryFileSystem

  init(_ load: ParsedLoad) throws {
    self.load = load
    var unwatched = Stopwatch()
    let filled = try FilledStore(load, isDurable: true, &unwatched)
    fileSystem = filled.fileSystem.crash(keeping: .everything)
    try filled.store.close()
  }

  var count: Int { load.valueCount }
  var byteCount: Int { 0 }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    let left = fileSystem.crash(keeping: .everything)
    let store = try watch.time { try Store.open(fileSystem: left, options: FilledStore.options) }
    let isRight = try FilledStore.tally(store) == load.tally
    try store.close()
    return isRight
  }
}

/// Tables to aggregates, by a statement: hourly sums of every field of every series.
final class AggregateLayer: Layer {
  let name = "aggregate"
  let unit = "values"
  private let load: ParsedLoad
  private let store: Store

  init(_ load: ParsedLoad) throws {
    self.load = load
    var unwatched = Stopwatch()
    store = try FilledStore(load, &unwatched).store
    try store.flush()
    try store.compact()
  }

  var count: Int { load.valueCount }
  var byteCount: Int { 0 }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    var (results, sum) = ([StatementResult](), Int64(0))
    let request = QueryRequest(
      text:
        "SELECT sum(*) FROM cpu WHERE time >= '2016-01-01' AND time < '2016-01-02' GROUP BY time(1h), hostname",
      database: "bench", now: wallNanoseconds())
    try watch.time { try QueryEngine(store: store).run(request) { results.append($0) } }
    for result in results {
      if let error = result.error { throw CommandFailure(error) }
      for column in result.series.flatMap(\.columns) {
        for row in column.values.indices where column.isPresent(row) {
          sum &+= Int64(bitPattern: column.values[row])
        }
      }
    }
    return sum == load.sum
  }
}
