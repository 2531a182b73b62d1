import Storage
import TestSupport
import Testing

@Suite("Manifest")
struct ManifestTests {
  static func keyspace(_ number: UInt32, database: String = "metrics", policy: String = "autogen") -> KeyspaceState {
    KeyspaceState(
      id: KeyspaceID(number), database: database, policy: policy, isDefault: true, ttl: 0, windowLength: 3_600_000_000_000)
  }

  static func run(_ first: UInt64, _ last: UInt64, table: UInt64) -> RunState {
    RunState(
      firstSequence: first, lastSequence: last, isFinal: false, publishedAt: 1_700_000_000_000_000_000,
      tables: [
        TableState(
          number: table, byteCount: 4_096, rowCount: 100, seriesCount: 3, firstTimestamp: 0, lastTimestamp: 99)
      ])
  }

  /// Edits that fit one after the other, a line each.
  static func edits(_ count: Int) -> [[Edit]] {
    var lines: [[Edit]] = [
      [.createDatabase(name: "metrics"), .createKeyspace(keyspace(1))],
      [.openWindow(keyspace: KeyspaceID(1), start: 0, end: 3_600_000_000_000)],
    ]
    for number in 1...max(1, count) {
      let sequence = UInt64(number * 10)
      lines.append([
        .publishRun(
          keyspace: KeyspaceID(1), window: 0, run: run(sequence - 9, sequence, table: UInt64(number)), flushedThrough: sequence)
      ])
    }
    return Array(lines.prefix(count))
  }

  /// The states after none, one, two … of the lines.
  static func states(_ lines: [[Edit]]) throws -> [ManifestState] {
    var states = [ManifestState()]
    for line in lines {
      var next = states[states.count - 1]
      for edit in line { try next.apply(edit) }
      states.append(next)
    }
    return states
  }

  static func open(_ fileSystem: any FileSystem, isReadOnly: Bool = false, byteCountMin: Int = 4 << 20) throws(StorageError) -> Manifest {
    var options = Manifest.Options()
    options.byteCountMin = byteCountMin
    options.growthMin = 1
    return try Manifest.open(fileSystem: fileSystem, isReadOnly: isReadOnly, options: options)
  }

  @Test("edits are there after opening again, all of them or none of a line")
  func roundTrip() throws {
    let fileSystem = MemoryFileSystem()
    let manifest = try Self.open(fileSystem)
    #expect(manifest.state == ManifestState())
    let lines = Self.edits(12)
    for line in lines { try manifest.append(line) }
    let expected = try Self.states(lines)
    #expect(manifest.state == expected.last)
    #expect(try Self.open(fileSystem).state == expected.last)
    #expect(try Self.open(fileSystem, isReadOnly: true).state == expected.last)
    // The second edit of the line does not fit: the first has no effect either.
    #expect(FileSystemTests.code { () throws(StorageError) in
      try manifest.append([.createDatabase(name: "other"), .createDatabase(name: "metrics")])
    } == .corrupt)
    #expect(manifest.state == expected.last)
    try manifest.append([.createDatabase(name: "other")])
    #expect(try Self.open(fileSystem).state.databases == ["metrics", "other"])
  }

  @Test("the largest and smallest numbers and any name survive")
  func extremes() throws {
    let fileSystem = MemoryFileSystem()
    let manifest = try Self.open(fileSystem)
    let bound: UInt64 = (1 << 62) - 1
    let name = "n\u{0}\n\r\"\\/\u{1F600}é\u{2028} x"
    var keyspace = Self.keyspace(1, database: name, policy: "")
    keyspace.ttl = .max
    keyspace.windowLength = .max
    try manifest.append([.createDatabase(name: name), .createKeyspace(keyspace)])
    try manifest.append([
      .openWindow(keyspace: KeyspaceID(1), start: .min, end: -1), .openWindow(keyspace: KeyspaceID(1), start: 9_007_199_254_740_993, end: .max),
      .setHorizon(keyspace: KeyspaceID(1), horizon: .min + 1),
      .reserve(nextTable: bound, lastSequence: bound, lastSegment: 9_007_199_254_740_993),
    ])
    var run = Self.run(1, 2, table: 5)
    run.publishedAt = .min
    run.tables[0].firstTimestamp = .min
    run.tables[0].lastTimestamp = .max
    try manifest.append([.publishRun(keyspace: KeyspaceID(1), window: .min, run: run, flushedThrough: 2)])
    #expect(manifest.state.keyspaces[0].horizon == .min + 1)
    #expect(try Self.open(fileSystem).state == manifest.state)
    try manifest.rotate()
    #expect(try Self.open(fileSystem).state == manifest.state)
    #expect(try Self.open(fileSystem).number == 2)
  }

  @Test("a long manifest makes place for a new one that begins with the state; two old ones are kept")
  func rotation() throws {
    let fileSystem = MemoryFileSystem()
    let manifest = try Self.open(fileSystem, byteCountMin: 2_000)
    let lines = Self.edits(60)
    for line in lines { try manifest.append(line) }
    let number = manifest.number
    #expect(number > 3)
    let names = try fileSystem.list("").filter { $0.hasPrefix("MANIFEST-") }.sorted()
    #expect(names == (number - 2...number).map(Manifest.fileName))
    #expect(try Self.open(fileSystem).state == manifest.state)
    #expect(try Self.open(fileSystem).number == number)
    #expect(manifest.rotationFailure == nil && manifest.failure == nil)
  }

  @Test("each truncation finds the state before the line it cuts, and the next edit goes on from there")
  func truncation() throws {
    let original = MemoryFileSystem(isForgetful: true)
    let manifest = try Self.open(original)
    let lines = Self.edits(4)
    for line in lines { try manifest.append(line) }
    let name = Manifest.fileName(1)
    let bytes = try original.open(name).bytes()
    let states = try Self.states(lines)
    let headByteCount = (bytes.firstIndex(of: 10) ?? 0) + 1
    for count in 0..<bytes.count {
      let copy = original.crash(keeping: .everything)
      try copy.openForWriting(name).truncate(to: UInt64(count))
      // A line without its newline holds.
      let whole = (bytes[..<count] + [bytes[count] == 10 ? 10 : 0]).filter { $0 == 10 }.count
      do throws(StorageError) {
        let again = try Self.open(copy)
        if again.state != states[whole - 1] { Issue.record("cut to \(count)") }
        try again.append([.createDatabase(name: "after")])
        if try Self.open(copy).state != again.state { Issue.record("cut to \(count), then an edit") }
      } catch {
        if error.code != .corrupt || count >= headByteCount - 1 { Issue.record("cut to \(count): \(error)") }
      }
    }
  }

  @Test("no bit flip traps or is passed over", .tags(.property))
  func bitFlips() throws {
    let original = MemoryFileSystem(isForgetful: true)
    let manifest = try Self.open(original)
    for line in Self.edits(3) { try manifest.append(line) }
    for name in ["CURRENT", Manifest.fileName(1)] {
      for bit in 0..<Int(try original.open(name).byteCount()) * 8 {
        let copy = try original.flipped(name, bit: bit)
        do throws(StorageError) {
          _ = try Self.open(copy)
          Issue.record("\(name), bit \(bit): not seen")
        } catch {
          if error.code != .corrupt || error.offset == nil || error.file.isEmpty { Issue.record("\(name), bit \(bit): \(error)") }
        }
      }
    }
  }

  @Test("a manifest of a newer format, a directory without CURRENT and an empty one are told apart")
  func others() throws {
    let fileSystem = MemoryFileSystem()
    #expect(FileSystemTests.code { () throws(StorageError) in _ = try Self.open(fileSystem, isReadOnly: true) } == .notFound)
    _ = try Self.open(fileSystem)
    let text = Array(#"{"format":3,"whatever":[]}"#.utf8)
    let digits = String(text.crc32c, radix: 16)
    let line = String(repeating: "0", count: 8 - digits.count) + digits + " " + String(decoding: text, as: UTF8.self) + "\n"
    let file = try fileSystem.openForWriting(Manifest.fileName(1))
    try file.truncate(to: 0)
    try file.write(line, at: 0)
    #expect(FileSystemTests.code { () throws(StorageError) in _ = try Self.open(fileSystem) } == .unsupportedVersion)
    try fileSystem.remove("CURRENT")
    // The first manifest may be what a crash left: it holds nothing that CURRENT ever named.
    #expect(try Self.open(fileSystem).state == ManifestState())
    try fileSystem.remove("CURRENT")
    try fileSystem.createDirectory("tables/0000001")
    #expect(FileSystemTests.code { () throws(StorageError) in _ = try Self.open(fileSystem) } == .corrupt)
  }

  @Test("states that could not have been written are refused, not trapped on", arguments: [
    #"{"openWindow":{"keyspace":1,"start":5,"end":5}}"#, #"{"openWindow":{"keyspace":1,"start":9,"end":-5}}"#,
    #"{"openWindow":{"keyspace":2,"start":0,"end":5}}"#, #"{"reserve":{"nextTable":18446744073709551615}}"#,
    #"{"setHorizon":{"keyspace":4294967295,"horizon":0}}"#, #"{"replaceRuns":{"keyspace":1,"window":0,"removed":[]}}"#,
    #"{"unknownEdit":{}}"#, #"{}"#, #"[]"#, #"{"createDatabase":{"name":"metrics"}}"#,
  ])
  func malformedEdits(edit: String) throws {
    let fileSystem = MemoryFileSystem()
    let manifest = try Self.open(fileSystem)
    for line in Self.edits(2) { try manifest.append(line) }
    let text = Array(#"{"edits":[\#(edit)]}"#.utf8)
    let digits = String(text.crc32c, radix: 16)
    let file = try fileSystem.openForWriting(Manifest.fileName(1))
    let end = try file.byteCount()
    try file.write(String(repeating: "0", count: 8 - digits.count) + digits + " ", at: end)
    try file.write(text + [10], at: end + 9)
    do throws(StorageError) {
      _ = try Self.open(fileSystem)
      Issue.record("taken")
    } catch {
      #expect(error.code == .corrupt && error.offset == end)
    }
  }

  @Test("after a failed sync no more edits are taken; a full disk takes them again when there is room")
  func failures() throws {
    let memory = MemoryFileSystem()
    let fileSystem = FailingFileSystem(wrapping: memory)
    let manifest = try Self.open(fileSystem)
    fileSystem.setCapacity(300)
    var fullCount = 0
    for number in 0..<20 {
      do throws(StorageError) {
        try manifest.append([.createDatabase(name: "database \(number)")])
      } catch {
        #expect(error.code == .full)
        fullCount += 1
      }
    }
    #expect(fullCount > 0 && fullCount < 20 && manifest.failure == nil)
    fileSystem.setCapacity(nil)
    try manifest.append([.createDatabase(name: "room")])
    #expect(try Self.open(memory).state == manifest.state)
    fileSystem.fail { call, _, _ in call == .sync ? .io : nil }
    #expect(FileSystemTests.code { () throws(StorageError) in try manifest.append([.createDatabase(name: "lost")]) } == .io)
    fileSystem.fail(where: nil)
    #expect(FileSystemTests.code { () throws(StorageError) in try manifest.append([.createDatabase(name: "later")]) } == .io)
    #expect(manifest.failure != nil && !manifest.state.databases.contains("lost"))
  }

  @Test("a crash at any call finds the state before the edit under way or after it", .tags(.crash), arguments: [1, 1_500])
  func everyCall(byteCountMin: Int) throws {
    let lines = Self.edits(9)
    let states = try Self.states(lines)
    func appendAll(_ fileSystem: any FileSystem) -> Int {
      var count = 0
      do throws(StorageError) {
        let manifest = try Self.open(fileSystem, byteCountMin: byteCountMin)
        while count < lines.count {
          try manifest.append(lines[count])
          count += 1
        }
      } catch {}
      return count
    }
    let whole = FailingFileSystem(wrapping: MemoryFileSystem(isForgetful: true), countsChangesOnly: true)
    #expect(appendAll(whole) == lines.count)
    var failures: [String] = []
    for call in 1...whole.callCount + 1 {
      let memory = MemoryFileSystem(isForgetful: true)
      let failing = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
      failing.stop(at: call)
      let count = appendAll(failing)
      for survival in [Survival.nothing, .everything] + (0..<6).map({ .seed(UInt64(call * 6 + $0)) }) {
        let left = memory.crash(keeping: survival)
        do throws(StorageError) {
          let found = try Self.open(left).state
          let isRight = found == states[count] || count < lines.count && found == states[count + 1]
          if !isRight { failures.append("call \(call), \(survival): not the state after \(count) or one more") }
          if try Self.open(left).state != found { failures.append("call \(call), \(survival): the second start differs") }
        } catch {
          failures.append("call \(call), \(survival): \(error)")
        }
      }
    }
    #expect(failures == [])
  }
}
