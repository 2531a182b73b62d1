import Storage
import TestSupport
import Testing

@Suite("Store: damage")
struct StoreDamageTests {
  private static func kind(_ name: String) -> String {
    name.hasPrefix("tables/")
      ? "table" : name.hasPrefix("wal/") ? "wal" : name.hasPrefix("MANIFEST") ? "manifest" : name
  }

  /// Bytes that were written: behind its records a segment is zeros, and so is all of one that is only allocated.
  private static func used(_ bytes: [UInt8]) -> Int { bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0 }

  /// Bits, or lengths, of a file to be tried; all of them in the slow run.
  private static func places(_ count: Int, step: Int) -> [Int] {
    Array(stride(from: 0, to: count, by: runsSlowTests ? 1 : step))
  }

  @Test(
    "with any bit of any file flipped a store is refused with the place, or answers what is true and says what it lacks; verify finds it",
    arguments: ["table", "wal", "manifest", "CURRENT"])
  func bitFlips(kind: String) throws {
    let bench = try DamageBench()
    var (faults, unseen, count) = ([String](), [String](), 0)
    for (name, bytes) in bench.image.files where Self.kind(name) == kind {
      for bit in Self.places(Self.used(bytes) * 8, step: kind == "CURRENT" ? 7 : 857) {
        let damaged = bench.image.flipping(bit, of: name)
        count += 1
        let report = try Store.verify(fileSystem: damaged.make())
        if Self.isTorn(report, name) { continue }
        if report.isClean { unseen.append("bit \(bit) of \(name)") }
        if let fault = try bench.fault(of: damaged) { faults.append("bit \(bit) of \(name): \(fault)") }
      }
    }
    #expect(count > 10)
    #expect(faults.isEmpty, "\(faults.count) of \(count): \(faults.prefix(5))")
    #expect(unseen.isEmpty, "\(unseen.count) of \(count): \(unseen.prefix(5))")
  }

  /// Whether a clean report takes the damage for the end of a write that a crash cut off: the last record of the log, or the last
  /// line of the manifest, with nothing behind it that says it was whole. Nobody can tell these apart; it is said as a note.
  private static func isTorn(_ report: VerifyReport, _ name: String) -> Bool {
    report.isClean && report.notes.contains { $0.hasPrefix(name) }
  }

  @Test("cut at any length likewise", arguments: ["table", "wal", "manifest", "CURRENT"])
  func cuts(kind: String) throws {
    let bench = try DamageBench()
    var (faults, unseen) = ([String](), [String]())
    for (name, bytes) in bench.image.files where Self.kind(name) == kind {
      var lengths = Self.places(Self.used(bytes), step: kind == "CURRENT" ? 3 : 389)
      // All of a line but its newline: the edit is whole.
      if kind == "manifest" { lengths += bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") } }
      for length in lengths {
        // An empty file is also what a crash leaves that comes between making a segment and allocating it.
        if kind == "wal", length == 0 { continue }
        // Cut between two lines a manifest is one that had fewer edits.
        if kind == "manifest", length > 0, bytes[length - 1] == UInt8(ascii: "\n") { continue }
        let damaged = bench.image.cutting(name, to: length)
        let report = try Store.verify(fileSystem: damaged.make())
        if Self.isTorn(report, name) { continue }
        if report.isClean { unseen.append("\(name) cut to \(length)") }
        if let fault = try bench.fault(of: damaged) { faults.append("\(name) cut to \(length): \(fault)") }
      }
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(5))")
    #expect(unseen.isEmpty, "\(unseen.count): \(unseen.prefix(5))")
  }

  @Test(
    "repair leaves a store that verifies, opens, and lacks nothing that it does not name",
    arguments: ["table", "wal", "manifest", "CURRENT"])
  func repairs(kind: String) throws {
    let bench = try DamageBench()
    var faults: [String] = []
    for (name, bytes) in bench.image.files where Self.kind(name) == kind {
      for bit in Self.places(Self.used(bytes) * 8, step: 4_001) {
        let damaged = bench.image.flipping(bit, of: name)
        if Self.isTorn(try Store.verify(fileSystem: damaged.make()), name) { continue }
        if let fault = try bench.repairFault(of: damaged) { faults.append("bit \(bit) of \(name): \(fault)") }
      }
      for length in Self.places(Self.used(bytes), step: 1_999) where kind != "wal" || length > 0 {
        if kind == "manifest", length > 0, bytes[length - 1] == UInt8(ascii: "\n") { continue }
        let damaged = bench.image.cutting(name, to: length)
        if Self.isTorn(try Store.verify(fileSystem: damaged.make()), name) { continue }
        if let fault = try bench.repairFault(of: damaged) {
          faults.append("\(name) cut to \(length): \(fault)")
        }
      }
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(5))")
  }

  @Test("what is gone is found and repaired: a table, CURRENT, all manifests, both, the last segment")
  func missingFiles() throws {
    let bench = try DamageBench()
    let names = bench.image.files.keys
    let tables = names.filter { $0.hasPrefix("tables/") }.sorted()
    let manifests = names.filter { $0.hasPrefix("MANIFEST") }
    let cases = tables.map { [$0] } + [["CURRENT"], Array(manifests), ["CURRENT"] + manifests]
    for missing in cases {
      var damaged = bench.image
      for name in missing { damaged.files[name] = nil }
      #expect(try bench.fault(of: damaged) == nil, "without \(missing)")
      #expect(try !Store.verify(fileSystem: damaged.make()).isClean, "without \(missing)")
      #expect(try bench.repairFault(of: damaged) == nil, "without \(missing)")
    }
    // From the tables and the log alone everything comes back.
    var bare = bench.image
    for name in ["CURRENT"] + manifests { bare.files[name] = nil }
    let fileSystem = try bare.make()
    #expect(try !Store.repair(fileSystem: fileSystem).isLossy)
    let store = try DamageBench.open(fileSystem, isReadOnly: false)
    #expect(Set(try DamageBench.answer(store).points) == bench.truth)
    try store.close()
  }

  @Test("an undamaged store verifies, and repair does nothing to it")
  func whole() throws {
    let bench = try DamageBench()
    let fileSystem = try bench.image.make()
    let report = try Store.verify(fileSystem: fileSystem)
    #expect(report.isClean && report.tables == 3 && report.segments >= 1, "\(report)")
    let repaired = try Store.repair(fileSystem: fileSystem)
    #expect(repaired == RepairReport(isDryRun: false))
    var files = try StoreImage(fileSystem).files
    files["LOCK"] = bench.image.files["LOCK"]
    #expect(files == bench.image.files)
  }
}

@Suite("Store: a repair that is cut short", .tags(.crash))
struct RepairCrashTests {
  @Test("a repair that ends after any change of the disk is run again and comes to the same end")
  func crashes() throws {
    let bench = try DamageBench()
    let table = try #require(bench.image.files.keys.filter { $0.hasPrefix("tables/") }.min())
    let segment = try #require(bench.image.files.keys.filter { $0.hasPrefix("wal/") }.min())
    // Rows of a table, a record of the log, and with them the pointer to the manifest.
    let rows = bench.image.flipping(8 * 20, of: table).flipping(8 * 80, of: segment)
    var all = rows
    all.files["CURRENT"] = nil
    for damaged in [rows, all] {
      let whole = FailingFileSystem(wrapping: try damaged.make(), countsChangesOnly: true)
      let expected = try Store.repair(fileSystem: whole)
      #expect(expected.isLossy && whole.callCount > 10)
      for call in 1...whole.callCount {
        let fileSystem = try damaged.make()
        let failing = FailingFileSystem(wrapping: fileSystem, countsChangesOnly: true)
        failing.stop(at: call)
        var first: RepairReport?
        do { first = try Store.repair(fileSystem: failing) } catch { first = nil }
        let second = try Store.repair(fileSystem: fileSystem)
        let saved = try StoreImage(fileSystem).files.filter { $0.key.hasPrefix("quarantine/report-") }
        #expect(first != nil || second.isLossy || !saved.isEmpty, "nobody is told what is lost: call \(call)")
        #expect(try Store.verify(fileSystem: fileSystem).isClean, "call \(call)")
        let store = try DamageBench.open(fileSystem, isReadOnly: true)
        let (points, leftOut) = try DamageBench.answer(store)
        let unsaid = bench.truth.symmetricDifference(points).filter { line in
          !expected.losses.contains { bench.covers($0, line) }
        }
        #expect(leftOut.isEmpty && unsaid.isEmpty, "call \(call): \(unsaid.prefix(3))")
        try store.close()
      }
    }
  }
}
