import Storage
import Testing

private let second: Int64 = 1_000_000_000
private let hour = 3_600 * second

@Suite("Store clock")
struct StoreClockTests {
  /// Readings as "monotonic wall", both in seconds; answers as "now", with "doubted" where a step is.
  @Test(
    "follows the wall clock; a step forward must stand",
    arguments: [
      (
        name: "small steps either way are followed", known: nil, readings: "0 1000, 1 1001, 2 4000, 3 2000",
        now: "1000 1001 4000 2000"
      ),
      (
        "six hours are believed after 30 s", nil, "0 0, 1 21601, 15 21615, 30 21630, 31 21631",
        "0 1? 15? 30? 21631"
      ),
      (
        "more than a day after ten minutes", nil, "0 0, 1 100001, 40 100040, 600 100600, 601 100601",
        "0 1? 40? 600? 100601"
      ),
      ("a step that is taken back leaves no trace", nil, "0 0, 1 21601, 20 20, 40 40", "0 1? 20 40"),
      (
        "a step that moves on begins anew", nil, "0 0, 1 21601, 20 40020, 31 40031, 50 40050",
        "0 1? 20? 31? 40050"
      ),
      ("a step that slews a little stands", nil, "0 0, 1 21601, 31 21651", "0 1? 21651"),
      ("a step back is followed at once", nil, "0 100000, 1 50000", "100000 50000"),
      ("a start hours later is a step", 0, "0 21600, 29 21629, 30 21630", "0? 29? 21630"),
      ("a start soon after is none", 0, "0 1800, 1 1801", "1800 1801"),
      ("a last known time in the future is let go", 90_000, "0 1000, 1 1001", "1000 1001"),
      ("a reading that comes late moves nothing back", nil, "0 0, 10 10, 5 5, 11 11", "0 10 5 11"),
    ] as [(name: String, known: Int64?, readings: String, now: String)])
  func readings(name: String, known: Int64?, readings: String, now: String) {
    var clock: StoreClock?
    var found: [String] = []
    for reading in readings.split(separator: ",") {
      let parts = reading.split(separator: " ").compactMap { Int64($0) }.map { $0 * second }
      if clock == nil {
        clock = StoreClock(wall: parts[1], monotonic: parts[0], lastKnown: known.map { $0 * second })
      } else {
        clock?.read(wall: parts[1], monotonic: parts[0])
      }
      found.append("\((clock?.now ?? 0) / second)\(clock?.doubted == nil ? "" : "?")")
    }
    #expect(found.joined(separator: " ") == now, "\(name)")
  }

  @Test("clocks at the ends of their range do not trap")
  func ends() {
    var clock = StoreClock(wall: .min, monotonic: 0, lastKnown: .max)
    clock.read(wall: .max, monotonic: .max)
    clock.read(wall: .min, monotonic: .min)
    #expect(clock.now == .min)
  }

  @Test("the manifest's newest time is that of the last run or the one noted")
  func lastKnown() throws {
    var state = ManifestState()
    #expect(state.lastKnownTime == nil)
    try state.apply(.createDatabase(name: "d"))
    try state.apply(
      .createKeyspace(
        KeyspaceState(
          id: KeyspaceID(1), database: "d", policy: "p", isDefault: true, ttl: 0, windowLength: hour)))
    try state.apply(.openWindow(keyspace: KeyspaceID(1), start: 0, end: hour))
    let run = RunState(firstSequence: 1, lastSequence: 2, isFinal: false, publishedAt: 70, tables: [])
    try state.apply(.publishRun(keyspace: KeyspaceID(1), window: 0, run: run, flushedThrough: 2))
    #expect(state.lastKnownTime == 70)
    try state.apply(.noteClock(90))
    #expect(state.lastKnownTime == 90)
  }
}

@Suite("Horizon")
struct HorizonTests {
  /// Steps: `at M now N` sets the clocks (seconds), `ttl T`, `doubt`; `?` prints floor and horizon.
  @Test(
    "the floor moves at once, the horizon after the grace, and never back",
    arguments: [
      (name: "for ever", ttl: 0, script: "at 100 now 100 ?", shown: "-/-"),
      (
        "a TTL hides at once and drops after the start's grace", 10,
        "at 1 now 100 ? at 29 now 128 ? at 30 now 129 ?", "90/- 118/- 119/119"
      ),
      (
        "a shorter one drops 30 s later", 0, "at 40 now 100 ttl 10 ? at 69 now 129 ? at 70 now 130 ?",
        "90/- 119/- 120/120"
      ),
      (
        "ALTER back undoes it", 0, "at 40 now 100 ttl 10 ? at 60 now 120 ttl 0 ? at 90 now 150 ?",
        "90/- -/- -/-"
      ),
      (
        "a shorter one still has its old one meanwhile", 50,
        "at 40 now 100 ? ttl 10 at 50 now 110 ? at 70 now 130 ?", "50/50 100/60 120/120"
      ),
      (
        "a longer one brings nothing back", 10, "at 40 now 100 ? ttl 50 ? at 60 now 145 ?",
        "90/90 90/90 95/95"
      ),
      ("a clock that goes back brings nothing back", 10, "at 40 now 100 ? at 41 now 50 ?", "90/90 90/90"),
      (
        "a doubted clock drops nothing", 10, "at 40 now 100 ? at 60 now 200 doubt ? at 61 now 200 ?",
        "90/90 190/90 190/190"
      ),
      (
        "two shorter ones within the grace wait for the later", 0,
        "at 40 now 100 ttl 20 at 60 now 120 ttl 10 at 75 now 135 ? at 90 now 150 ?", "125/- 140/140"
      ),
    ] as [(name: String, ttl: Int64, script: String, shown: String)])
  func script(name: String, ttl: Int64, script: String, shown: String) {
    var horizon = Horizon(horizon: .min, ttl: ttl * second, monotonic: 0)
    var (monotonic, now, isDoubted) = (Int64(0), Int64(0), false)
    var found: [String] = []
    var words = script.split(separator: " ")[...]
    func number() -> Int64 { (words.popFirst().flatMap { Int64($0) } ?? 0) * second }
    func text(_ time: Int64) -> String { time == .min ? "-" : "\(time / second)" }
    while let word = words.popFirst() {
      switch word {
      case "at": (monotonic, isDoubted) = (number(), false)
      case "now": now = number()
      case "ttl": horizon.alter(ttl: number(), monotonic: monotonic)
      case "doubt": isDoubted = true
      default:
        let dropped = horizon.advance(now: isDoubted ? nil : now, monotonic: monotonic)
        found.append("\(text(horizon.floor(now: now)))/\(text(dropped))")
      }
    }
    #expect(found.joined(separator: " ") == shown, "\(name)")
  }

  @Test(
    "windows go whole once they end at or before the horizon",
    arguments: [
      (horizon: Int64.min, starts: []), (99, []), (100, [0]), (199, [0]), (200, [0, 100]),
      (.max, [0, 100, 250]),
    ] as [(horizon: Int64, starts: [Int64])])
  func windows(horizon: Int64, starts: [Int64]) {
    let keyspace = KeyspaceState(
      id: KeyspaceID(1), database: "d", policy: "p", isDefault: true, ttl: 0, windowLength: 100,
      windows: [window(0, 100), window(100, 200), window(250, 300)])
    let loss = Expiry.loss(of: keyspace.windows, horizon: horizon)
    #expect(
      loss == Expiry.Loss(starts: starts, byteCount: UInt64(starts.count) * 7, rowCount: starts.count * 3))
    let edit: Edit? =
      starts.isEmpty ? nil : .dropWindows(keyspace: KeyspaceID(1), starts: starts, horizon: horizon)
    #expect(Expiry.edit(for: keyspace, horizon: horizon) == edit)
  }

  private func window(_ start: Int64, _ end: Int64) -> WindowState {
    let table = TableState(
      number: 1, byteCount: 7, rowCount: 3, seriesCount: 1, firstTimestamp: start, lastTimestamp: start)
    let run = RunState(firstSequence: 1, lastSequence: 1, isFinal: false, publishedAt: 0, tables: [table])
    return WindowState(start: start, end: end, flushedThrough: 1, runs: [run])
  }
}
