import Storage
import Synchronization
import TestSupport

/// One random history of a store, and what a dictionary says of it.
final class StoreHistory {
  /// Options that must not show in any answer.
  enum Variant: CaseIterable, Sendable {
    /// As shipped, with windows of an hour.
    case plain
    /// Two compactors, windows of a minute.
    case eager
    /// No compactor: merges only where they are asked for.
    case idle
    /// Windows of a day, and the smallest log segments.
    case narrow
  }

  /// Seeds of a run; the same ones each time.
  static func seeds(_ count: Int) -> [UInt64] { (0..<UInt64(count)).map { $0 &* 0x9e37_79b9 &+ 7 } }

  private static let start: Int64 = 1_700_000_000_000_000_000
  private static let minute: Int64 = 60_000_000_000

  private var random: SplitMix64
  /// Changes with every start.
  private var options: StoreOptions
  private var disk = MemoryFileSystem(isForgetful: true)
  private let clock = Clock()
  private var store: Store
  private var driver: StoreDriver
  /// By `measurement,tags field time`, the value as `StoreDriver.dump` writes it.
  private typealias Model = [String: [Int64: [String: String]]]
  /// By database: the one that is written to, and what was restored beside it.
  private var models: [String: Model] = ["metrics": [:]]
  private var model: Model {
    get { models["metrics", default: [:]] }
    set { models["metrics"] = newValue }
  }
  /// The last backup, of the store as it lies now, and what was in it.
  private var backup: (path: String, models: [String: Model])?
  private var placeCount = 0
  private(set) var problems: [String] = []
  private var trace: [String] = []

  private final class Clock: Sendable {
    let wall = Atomic<Int64>(StoreHistory.start)
    let monotonic = Atomic<Int64>(1_000_000_000)
  }

  init(seed: UInt64, variant: Variant) throws {
    random = SplitMix64(seed: seed)
    var options = StoreOptions()
    options.segmentByteCount = variant == .narrow ? 8 << 10 : 64 << 10
    options.compactorCount = variant == .idle ? 0 : variant == .eager ? 2 : 1
    options.defaultWindowLength =
      switch variant {
      case .plain, .idle: 60 * Self.minute
      case .eager: Self.minute
      case .narrow: 1_440 * Self.minute
      }
    self.options = options
    store = try Self.open(disk, options, clock)
    driver = StoreDriver(store)
    try store.createDatabase("metrics")
  }

  deinit { try? store.close() }

  private static func open(_ disk: MemoryFileSystem, _ options: StoreOptions, _ clock: Clock) throws -> Store
  {
    try Store.open(
      fileSystem: disk, options: options, wallClock: { clock.wall.load(ordering: .relaxed) },
      monotonicClock: { clock.monotonic.load(ordering: .relaxed) })
  }

  // MARK: Steps

  func run(steps: Int) throws {
    for _ in 0..<steps {
      try step()
      compare()
      if !problems.isEmpty { return }
    }
    try store.compact()
    compare()
    let left = store.statistics().databases.reduce(0) { $0 + $1.tombstones }
    if left != 0 { note("\(left) tombstones are left after everything was merged") }
  }

  private func step() throws {
    switch random.next() % 23 {
    case 0...8: try write()
    case 9...11: try delete()
    case 12, 13:
      trace.append("flush")
      try store.flush()
    case 14:
      trace.append("compact")
      try store.compact()
    case 15: try random.next() % 2 == 0 ? compactOneWindow() : changeWindowLength()
    case 16: advance()
    case 17: try restart()
    case 18, 19: try backUp()
    case 20: try restore()
    case 21: try random.next() % 3 == 0 ? goOnFromBackup() : restore()
    default: try crash()
    }
  }

  private func write() throws {
    var lines = ""
    for _ in 0..<(1 + random.next() % 12) {
      let series = randomSeries()
      let time = randomTime()
      var fields: [(String, String)] = []
      for name in ["a", "b", "c"] where random.next() % 2 == 0 { fields.append((name, randomValue())) }
      if fields.isEmpty { fields.append(("a", randomValue())) }
      lines += "\(series) \(fields.map { "\($0)=\($1)" }.joined(separator: ",")) \(time)\n"
      for (name, value) in fields { model[series, default: [:]][time, default: [:]][name] = value }
    }
    trace.append("write \(lines)")
    try driver.writeDurably(lines)
  }

  private func randomSeries() -> String {
    let measurement = ["m", "n", "mm"][Int(random.next() % 3)]
    let host = random.next() % 4
    return host == 3
      ? "\(measurement),zone=z\(random.next() % 2)"
      : "\(measurement),host=h\(host),zone=z\(random.next() % 2)"
  }

  /// Mostly of the last minutes, some hours late.
  private func randomTime() -> Int64 {
    let now = clock.wall.load(ordering: .relaxed)
    let slot = Int64(random.next() % 8)
    return random.next() % 4 == 0
      ? Self.start - slot * 37 * Self.minute : now / Self.minute * Self.minute - slot * 20_000_000_000
  }

  private func randomValue() -> String {
    switch random.next() % 4 {
    case 0: "\(Int64(random.next() % 100))i"
    case 1: random.next() % 2 == 0 ? "true" : "false"
    case 2: "\"s\(random.next() % 10)\""
    default: "\(Double(random.next() % 1_000) / 4)"
    }
  }

  private func delete() throws {
    let measurements: [MeasurementMatch] =
      switch random.next() % 4 {
      case 0: []
      case 1: [.matches(try Regex("^m"))]
      default: [.name(["m", "n", "mm"][Int(random.next() % 3)])]
      }
    let (bound, other) = (randomTime(), randomTime())
    let times: Range<Int64> =
      switch random.next() % 4 {
      case 0: .min ..< .max
      case 1: .min..<bound
      case 2: bound ..< .max
      default: min(bound, other)..<max(bound, other) + 1
      }
    let predicate = random.next() % 3 == 0 ? nil : try randomPredicate(depth: 2)
    let deletion = Deletion(measurements: measurements, predicate: predicate, times: times)
    trace.append("delete \(deletion)")
    let preview = try store.preview(deletion, from: "metrics")
    var hiddenCount = 0
    for (series, points) in model where isConcerned(series, deletion) {
      hiddenCount += points.keys.count(where: times.contains)
      model[series] = points.filter { !times.contains($0.key) }
    }
    if preview.pointCount != hiddenCount {
      note("preview says \(preview.pointCount) points of \(hiddenCount)")
    }
    try store.delete(deletion, from: "metrics")
  }

  private func randomPredicate(depth: Int) throws -> TagPredicate {
    let key = Array(["host", "zone", "none"][Int(random.next() % 3)].utf8)
    let value = Array(["h0", "h1", "z0", "z1", ""][Int(random.next() % 5)].utf8)
    switch random.next() % (depth > 0 ? 6 : 3) {
    case 0: return .equals(key: key, value: value)
    case 1: return .notEquals(key: key, value: value)
    case 2: return .matches(key: key, try Regex("[01]$"))
    case 3: return .and(try randomPredicate(depth: depth - 1), try randomPredicate(depth: depth - 1))
    case 4: return .or(try randomPredicate(depth: depth - 1), try randomPredicate(depth: depth - 1))
    default: return .not(try randomPredicate(depth: depth - 1))
    }
  }

  private func isConcerned(_ series: String, _ deletion: Deletion) -> Bool {
    let parts = series.split(separator: ",")
    guard deletion.concerns(Array(parts[0].utf8)) else { return false }
    return deletion.predicate?.isSatisfied { key in
      let tag = parts.dropFirst().first { $0.hasPrefix(String(decoding: key, as: UTF8.self) + "=") }
      return tag.map { Array($0.split(separator: "=")[1].utf8)[...] } ?? []
    } ?? true
  }

  private func compactOneWindow() throws {
    trace.append("compact one window")
    try store.compact(window: randomTime())
  }

  /// Serves times that no window covers yet.
  private func changeWindowLength() throws {
    let length = [1, 7, 60, 1_440][Int(random.next() % 4)] * Self.minute
    trace.append("windows of \(length)")
    try store.alterPolicy("autogen", on: "metrics", ttl: nil, windowLength: length, isDefault: nil)
  }

  private func changeOptions() {
    options.compactorCount = Int(random.next() % 3)
    options.segmentByteCount = [8, 64, 1_024][Int(random.next() % 3)] << 10
    options.memoryByteCount = [64, 1_024][Int(random.next() % 2)] << 20
    options.compactionPolicy = random.next() % 4 == 0 ? .none : .timeWindow
  }

  private func advance() {
    let span = Int64(1 + random.next() % 50) * Self.minute
    trace.append("advance \(span)")
    clock.wall.add(span, ordering: .relaxed)
    clock.monotonic.add(span, ordering: .relaxed)
  }

  private func restart() throws {
    trace.append("restart")
    try store.close()
    changeOptions()
    store = try Self.open(disk, options, clock)
    driver = StoreDriver(store)
  }

  /// Everything was acknowledged: whatever else the disk keeps, all of it is there.
  private func crash() throws {
    trace.append("crash")
    let left = disk.crash(keeping: .seed(random.next()))
    try store.close()
    disk = left
    changeOptions()
    store = try Self.open(disk, options, clock)
    driver = StoreDriver(store)
  }

  // MARK: Backups

  private func place() -> Int {
    placeCount += 1
    return placeCount
  }

  /// Into another directory, or into the one that holds the last.
  private func backUp() throws {
    let isIncremental = backup != nil && random.next() % 2 == 0
    let path = isIncremental ? backup?.path ?? "" : "/backups/\(place())"
    trace.append("backup to \(path)")
    _ = try store.backUp(to: path, isIncremental: isIncremental, isVerified: random.next() % 4 == 0)
    backup = (path, models)
  }

  /// Of any database, beside those that are there; it is then as it was.
  private func restore() throws {
    guard let backup else { return }
    let names = backup.models.keys.sorted()
    let name = names[Int(random.next() % UInt64(names.count))]
    let copy = "copy\(place())"
    trace.append("restore \(name) of \(backup.path) as \(copy)")
    _ = try store.restore(from: backup.path, database: name, as: copy)
    models[copy] = backup.models[name]
    if random.next() % 2 == 0 {
      try driver.writeDurably("m,host=h0,zone=z0 a=7i \(Self.start)\n", database: copy)
      models[copy]?["m,host=h0,zone=z0", default: [:]][Self.start, default: [:]]["a"] = "7i"
    }
    if models.count > 3, let oldest = models.keys.filter({ $0 != "metrics" && $0 != copy }).min() {
      try store.dropDatabase(oldest)
      models[oldest] = nil
    }
  }

  /// The backup is the store from now on; the one before is left as it lies.
  private func goOnFromBackup() throws {
    guard let backup, let place = disk.rooted(at: backup.path) as? MemoryFileSystem else { return }
    trace.append("go on from \(backup.path)")
    try store.close()
    (disk, models, self.backup) = (place, backup.models, nil)
    changeOptions()
    store = try Self.open(disk, options, clock)
    driver = StoreDriver(store)
  }

  // MARK: Comparing

  private func compare() {
    if store.databases() != models.keys.sorted() { note("databases \(store.databases())") }
    for (name, model) in models { compare(name, model) }
  }

  private func compare(_ name: String, _ model: Model) {
    do {
      let found = try driver.dump(database: name)
      let wanted = model.flatMap { series, points in
        points.flatMap { time, fields in fields.map { "\(series) \($0)=\($1) \(time)" } }
      }.sorted()
      if found == wanted { return }
      let (missing, extra) = (Set(wanted).subtracting(found), Set(found).subtracting(wanted))
      note("\(name): missing \(missing.sorted().prefix(5)), not wanted \(extra.sorted().prefix(5))")
    } catch {
      note("\(name) cannot be read: \(error)")
    }
  }

  private func note(_ problem: String) {
    problems.append("\(problem), after:\n\(trace.suffix(30).joined(separator: "\n"))")
  }
}
