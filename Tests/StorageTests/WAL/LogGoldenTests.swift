import FoundationEssentials
import Storage
import TestSupport
import Testing

/// The worked examples of the format pages, byte by byte. `VARVE_WRITE_FIXTURES=1` writes the files anew, for a reviewed change.
@Suite("Log and manifest: golden files of each format version")
struct LogGoldenTests {
  private static let writes = ProcessInfo.processInfo.environment["VARVE_WRITE_FIXTURES"] == "1"
  private static let folder = POSIXFileSystem(root: packageRoot + "/Fixtures/format-1")
  private static let manifestFolder = POSIXFileSystem(root: packageRoot + "/Fixtures/format-2")
  private static let segmentName = "0000000017.wal"

  /// Compares a file, and its dump, with those checked in.
  private static func check(
    _ fileSystem: any FileSystem, _ name: String, as goldenName: String, in folder: POSIXFileSystem = folder, dump: String?
  ) throws {
    var made = [goldenName: try fileSystem.open(name).bytes()]
    if let dump { made[goldenName + ".txt"] = Array(dump.utf8) }
    for (name, bytes) in made {
      if writes {
        try folder.remove(name)
        try folder.create(name).write(bytes, at: 0)
      }
      let golden = try folder.open(name).bytes()
      let difference = zip(golden, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? min(golden.count, bytes.count)
      #expect(golden == bytes, "\(name): first difference at byte \(difference)")
    }
  }

  private static let batches = [
    LoggedBatch(sequence: 41, definitions: Array("the names".utf8), rows: Array("the first rows".utf8)),
    LoggedBatch(sequence: 42, rows: Array("more rows".utf8)),
  ]

  @Test("the log makes the same segment, and the dump says what it is")
  func segment() throws {
    let fileSystem = MemoryFileSystem()
    let log = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(segmentByteCount: 4_096), nextSequence: 41, nextSegment: 17,
      retained: [SegmentInfo(number: 16, byteCount: 300, firstSequence: 30, lastSequence: 40)])
    for batch in Self.batches { try log.wait(for: try log.append(batch.rows, definitions: batch.definitions)) }
    try log.close()
    let name = "wal/" + Self.segmentName
    try Self.check(
      fileSystem, name, as: Self.segmentName,
      dump: try dumpSegment(fileSystem: fileSystem, name: name).replacing("wal/", with: ""))
  }

  @Test("the golden segment is replayed")
  func replay() throws {
    let fileSystem = MemoryFileSystem()
    try fileSystem.createDirectory("wal")
    try fileSystem.create("wal/" + Self.segmentName).write(Self.folder.open(Self.segmentName).bytes(), at: 0)
    let (batches, summary) = try WriteAheadLog.batches(fileSystem)
    #expect(batches == Self.batches)
    #expect(summary.lastSegment == 17 && summary.lastSequence == 42 && summary.recordCount == 3)
  }

  private static func manifest(in fileSystem: MemoryFileSystem) throws -> Manifest {
    var state = ManifestState()
    for edits in ManifestTests.edits(3) { for edit in edits { try state.apply(edit) } }
    try Manifest.write(state, number: 5, to: fileSystem)
    let manifest = try Manifest.open(fileSystem: fileSystem, isReadOnly: false)
    try manifest.append([
      .publishRun(
        keyspace: KeyspaceID(1), window: 0, run: ManifestTests.run(11, 20, table: 2), flushedThrough: 20),
      .reserve(nextTable: nil, lastSequence: nil, lastSegment: 17),
    ])
    let deletion = Deletion(
      measurements: [.name("cpu")], predicate: .equals(key: Array("host".utf8), value: Array("a".utf8)), times: 50..<100)
    try manifest.append([
      .addTombstone(
        keyspace: KeyspaceID(1),
        Tombstone(sequence: 21, deletion: deletion, createdAt: 1_700_000_000_000_000_000))
    ])
    try manifest.append([.clearRuns(keyspace: KeyspaceID(1), window: 0, runs: [11], through: 21)])
    return manifest
  }

  @Test("the manifest makes the same files, and the dump says what they are")
  func manifest() throws {
    let fileSystem = MemoryFileSystem()
    let manifest = try Self.manifest(in: fileSystem)
    let name = Manifest.fileName(5)
    try Self.check(
      fileSystem, name, as: name, in: Self.manifestFolder, dump: try dumpManifest(fileSystem: fileSystem, name: name))
    try Self.check(fileSystem, "CURRENT", as: "CURRENT", in: Self.manifestFolder, dump: nil)
    // What is checked in is opened as it lies.
    #expect(try Manifest.open(fileSystem: Self.manifestFolder, isReadOnly: true).state == manifest.state)
  }

  @Test("a manifest of format 1 is read as it lies, and goes on in a file of this format once it is written to")
  func formatOne() throws {
    let read = try Manifest.open(fileSystem: Self.folder, isReadOnly: true).state
    #expect(read.keyspaces.map(\.horizon) == [3_600_000_000_000] && read.lastSegment == 17 && read.lastSequence == 20)
    #expect(read.keyspaces[0].tombstones == [])
    let copy = MemoryFileSystem()
    for name in ["CURRENT", Manifest.fileName(5)] { try copy.create(name).write(Self.folder.open(name).bytes(), at: 0) }
    let manifest = try Manifest.open(fileSystem: copy, isReadOnly: false)
    #expect(manifest.state == read)
    #expect(try Manifest.current(of: copy) == Manifest.fileName(6))
    try manifest.append([.setHorizon(keyspace: KeyspaceID(1), horizon: 7_200_000_000_000)])
    #expect(try Manifest.open(fileSystem: copy, isReadOnly: true).state == manifest.state)
    #expect(try copy.open(Manifest.fileName(6)).text().contains(#""format":2"#))
  }

  @Test("the format pages show these files")
  func pages() throws {
    let pages = POSIXFileSystem(root: packageRoot + "/Sources/Storage/Storage.docc")
    let logPage = try pages.open("WAL.md").text()
    #expect(logPage.contains(try Self.folder.open(Self.segmentName + ".txt").text()))
    let bytes = try Self.folder.open(Self.segmentName).bytes()
    for start in stride(from: 0, to: bytes.count, by: 16) {
      let digits = bytes[start..<min(start + 16, bytes.count)].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      #expect(logPage.contains(digits.joined(separator: " ")), "bytes from \(start)")
    }
    #expect(try pages.open("Manifest.md").text().contains(try Self.manifestFolder.open(Manifest.fileName(5)).text()))
  }

  @Test("a dump shows damage and what stands behind it, and bytes that are no segment")
  func damagedDump() throws {
    let fileSystem = MemoryFileSystem()
    let file = try fileSystem.create(Self.segmentName)
    try file.write(Self.folder.open(Self.segmentName).bytes(), at: 0)
    try file.write([0xff], at: 100)
    let dump = try dumpSegment(fileSystem: fileSystem, name: Self.segmentName)
    #expect(dump.contains("        56  bad") && dump.contains("       105  rows") && dump.contains("end of file"))
    let copy = try fileSystem.create("copy")
    try copy.write(Self.folder.open(Self.segmentName).bytes(), at: 0)
    #expect(try dumpSegment(fileSystem: fileSystem, name: "copy").hasPrefix("copy: log segment 17"))
    for bytes in [[], [1, 2, 3], [UInt8](repeating: 0, count: 100), [UInt8](repeating: 7, count: 100)] {
      try fileSystem.remove("x")
      try fileSystem.create("x").write(bytes, at: 0)
      #expect(try dumpSegment(fileSystem: fileSystem, name: "x").hasPrefix("x: \(bytes.count) bytes"))
    }
  }
}
