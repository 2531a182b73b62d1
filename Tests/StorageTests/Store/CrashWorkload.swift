import Glibc
import Storage
import Synchronization
import TestSupport

/// A store's life in short on a disk that stops or fails somewhere: writes, writes over, deletes, flushes, merges, lets windows expire,
/// opens again. Every value is the number of its batch, so that a stored row says which write it is of.
final class CrashWorkload {
  static let start = ClockedStore.start
  /// Where the store lies on the disk, and its backup.
  static let data = "/data"
  static let backup = "/backup"
  /// TTL of the short policy.
  private static let ttl: Int64 = 1_800_000_000_000

  /// What the disk does, and so what the workload does about an error.
  enum Mode {
    /// It stops: nothing after the first error is of use.
    case stops
    /// A call fails: what can go on goes on, and reads are held against what was acknowledged at each step.
    case fails
  }

  let disk: FailingFileSystem
  let clocks = ClockedStore.Clocks()
  private let mode: Mode
  private let options: StoreOptions
  private let rowCount: Int
  private(set) var store: Store?
  private var driver: StoreDriver?
  private(set) var isComplete = false
  /// Errors that the caller of the store was told.
  private(set) var errors: [any Error] = []
  private(set) var problems: [String] = []

  /// By `policy measurement,tag time`: the versions submitted, and the highest acknowledged.
  private var submitted: [String: Int] = [:]
  private var acknowledged: [String: Int] = [:]
  /// The versions through which an acknowledged delete goes, and what a delete that was not acknowledged may have taken.
  private var deleted: [String: Int] = [:]
  private var doubtful: Set<String> = []
  /// What was acknowledged when a backup began that was.
  private var backedUp: [String: Int]?
  private var version = 0

  private struct Ended: Error {}

  /// - Parameter rowCount: points of each series in a batch.
  init(disk: FailingFileSystem, mode: Mode, reserveByteCount: UInt64, rowCount: Int = 1) {
    self.disk = disk
    self.mode = mode
    self.rowCount = rowCount
    var options = StoreOptions()
    options.segmentByteCount = 16 << 10
    options.memoryByteCount = 1 << 30
    options.compactorCount = 0
    options.reserveByteCount = reserveByteCount
    self.options = options
  }

  deinit { end() }

  // MARK: Running

  /// All of it, or in `.stops` up to the first error.
  func run() {
    do {
      try open()
      try attempt { try self.store?.createDatabase("metrics") }
      try attempt {
        try self.store?.createPolicy(
          "short", on: "metrics", ttl: Self.ttl, windowLength: 60_000_000_000, isDefault: false)
      }
      for round in 0..<5 { try run(round) }
      try attempt { try self.store?.close() }
      store = nil
      isComplete = true
    } catch {
      end()
    }
  }

  private func run(_ round: Int) throws {
    for batch in 0..<3 { try write(round: round, batch: batch) }
    if round < 3 { try writeShort() }
    switch round {
    case 1: try attempt { try self.store?.flush() }
    case 2:
      try backUp(isIncremental: false)
      try delete(series: 1)
      try attempt { try self.store?.flush() }
    case 3:
      try attempt { try self.store?.compact() }
      // What the short policy holds expires.
      expire()
      try attempt { try self.store?.close() }
      try open()
    case 4: try backUp(isIncremental: backedUp != nil)
    default: break
    }
    if mode == .fails { compareNow("round \(round)") }
  }

  private func open() throws {
    driver = nil
    store = nil
    // A fault may hit the start itself; the next one goes.
    for _ in 0..<3 where store == nil { try attempt { self.store = try self.opened(self.disk) } }
    guard let store else { throw Ended() }
    driver = StoreDriver(store)
  }

  func opened(_ disk: any FileSystem, at folder: String = CrashWorkload.data) throws -> Store {
    let clocks = clocks
    return try Store.open(
      fileSystem: disk.rooted(at: folder), options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
  }

  /// Ends the threads; in `.stops` the process is dead already.
  func end() {
    do { try store?.close() } catch { errors.append(error) }
    store = nil
  }

  @discardableResult
  private func attempt(_ body: () throws -> Void) throws -> Bool {
    do {
      try body()
      return true
    } catch {
      errors.append(error)
      if mode == .stops { throw error }
      return false
    }
  }

  // MARK: What it does

  /// Every third batch writes over points of an earlier one; three windows.
  private func write(round: Int, batch: Int) throws {
    var points: [(series: Int, time: Int64)] = []
    for series in 0..<3 {
      let first = Self.start - Int64(series) * 400_000_000_000_000 + Int64(batch == 2 ? 0 : version + 1) * 1_000
      for row in 0..<rowCount { points.append((series, first + Int64(row))) }
    }
    try write(points, policy: "")
  }

  private func writeShort() throws { try write([(7, Self.start + Int64(version))], policy: "short") }

  @discardableResult
  private func write(_ points: [(series: Int, time: Int64)], policy: String) throws -> Bool {
    version += 1
    let names = points.map { "\(policy) m,s=\($0.series) \($0.time)" }
    for name in names { submitted[name] = version }
    let isDone = try attempt {
      guard let driver = self.driver else { throw Ended() }
      let lines = points.map { "m,s=\($0.series) v=\(self.version)i \($0.time)\n" }.joined()
      let result = try driver.write(lines, policy: policy.isEmpty ? nil : policy)
      try driver.store.wait(for: result.ticket)
    }
    guard isDone else { return false }
    for name in names {
      acknowledged[name] = version
      doubtful.remove(name)
    }
    return true
  }

  @discardableResult
  func delete(series: Int) throws -> Bool {
    let names = submitted.keys.filter { $0.contains(",s=\(series) ") }
    // Until it is acknowledged it may have been done or not.
    doubtful.formUnion(names)
    let isDone = try attempt {
      let predicate = TagPredicate.equals(key: Array("s".utf8), value: Array("\(series)".utf8))
      try self.store?.delete(
        Deletion(measurements: [.name("m")], predicate: predicate, times: .min ..< .max), from: "metrics")
    }
    guard isDone, store != nil else { return false }
    for name in names {
      deleted[name] = submitted[name]
      acknowledged[name] = nil
    }
    doubtful.subtract(names)
    return true
  }

  private func backUp(isIncremental: Bool) throws {
    let before = acknowledged
    let isDone = try attempt { _ = try self.store?.backUp(to: Self.backup, isIncremental: isIncremental) }
    if isDone && store != nil { backedUp = before }
  }

  /// Opens the store that `run` has closed.
  func reopen() throws { try open() }

  /// Writes until one is taken: the log asks the disk for space again after a quarter of a second.
  func writesAgain() throws -> Bool {
    for _ in 0..<100 {
      if try write([(5, Self.start + Int64(version))], policy: "") { return true }
      usleep(20_000)
    }
    return false
  }

  /// Tables of the policy whose points expire.
  func shortTables() throws -> [String] {
    guard let store else { return [] }
    let folder = "data/tables/" + padded(try store.keyspace(database: "metrics", policy: "short").number)
    return try disk.exists(folder) ? try disk.list(folder) : []
  }

  private func padded(_ number: UInt32) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 7 - digits.count)) + digits
  }

  /// Makes tables of points that are to expire, where the disk takes them.
  func writeShortAndFlush() throws {
    try write([(7, clocks.wall.load(ordering: .relaxed))], policy: "short")
    try attempt { try self.store?.flush() }
  }

  /// Lets everything expire that may.
  ///
  /// A step of less than an hour: a longer one would be doubted after a restart.
  func expire() {
    clocks.advance(seconds: 2_700)
    store?.runUpkeep()
  }

  // MARK: Comparing

  /// Reads the running store; an error is a problem unless the disk was told to fail just now.
  func compareNow(_ place: String) {
    guard let store else { return }
    do {
      problems += try compare(store, place)
    } catch {
      errors.append(error)
      if errors.count > 8 { problems.append("\(place): still cannot be read: \(error)") }
    }
  }

  /// Opens a disk and holds it against what was acknowledged.
  func compare(_ disk: MemoryFileSystem, _ place: String) -> [String] {
    do {
      let store = try opened(disk)
      let found = try compare(store, place)
      try store.close()
      return try found + compareBackup(disk, place)
    } catch {
      return ["\(place): does not open: \(error)"]
    }
  }

  /// A backup that was acknowledged opens, and holds what was acknowledged before it, or what a later one found in its place.
  private func compareBackup(_ disk: MemoryFileSystem, _ place: String) throws -> [String] {
    guard let backedUp else { return [] }
    let store = try opened(disk, at: Self.backup)
    let found = try versions(in: store)
    try store.close()
    return backedUp.compactMap { name, version in
      if found[name] ?? 0 >= version || hasExpired(name) || deleted[name] != nil || doubtful.contains(name) { return nil }
      return "\(place), backup: \(name) was acknowledged at \(version), found \(found[name] ?? 0)"
    }
  }

  private func versions(in store: Store) throws -> [String: Int] {
    var found: [String: Int] = [:]
    for policy in store.policies(of: "metrics") ?? [] {
      let name = policy.isDefault ? "" : policy.name
      for line in try StoreDriver(store).dump(policy: policy.name) {
        let parts = line.split(separator: " ")
        found["\(name) \(parts[0]) \(parts[2])"] = Int(parts[1].dropFirst(2).dropLast())
      }
    }
    return found
  }

  private func hasExpired(_ name: String) -> Bool {
    let now = clocks.wall.load(ordering: .relaxed)
    return name.hasPrefix("short") && (Int64(name.split(separator: " ").last ?? "") ?? 0) < now - Self.ttl
  }

  private func compare(_ store: Store, _ place: String) throws -> [String] {
    guard store.policies(of: "metrics") != nil else {
      return acknowledged.isEmpty ? [] : ["\(place): the database is gone"]
    }
    let found = try versions(in: store)
    var problems: [String] = []
    for (name, version) in acknowledged where (found[name] ?? 0) < version && !hasExpired(name) {
      if !(found[name] == nil && doubtful.contains(name)) {
        problems.append("\(place): \(name) was acknowledged at \(version), found \(found[name] ?? 0)")
      }
    }
    for (name, version) in found {
      if version > submitted[name] ?? 0 { problems.append("\(place): \(name) was never written as \(version)") }
      if version <= deleted[name] ?? 0 { problems.append("\(place): \(name) as \(version) is back after its delete") }
      if hasExpired(name) { problems.append("\(place): \(name) has expired") }
    }
    return problems
  }
}
