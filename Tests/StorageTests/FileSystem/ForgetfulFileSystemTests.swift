import Storage
import TestSupport
import Testing

@Suite("FileSystem: what a power cut leaves, and calls that fail")
struct ForgetfulFileSystemTests {
  private func made() throws -> MemoryFileSystem {
    let fileSystem = MemoryFileSystem(isForgetful: true)
    let file = try fileSystem.create("f")
    try file.write("synced", at: 0)
    try file.sync()
    try fileSystem.syncDirectory("")
    return fileSystem
  }

  @Test("what was synced survives, what was not may go")
  func contents() throws {
    let fileSystem = try made()
    try fileSystem.openForWriting("f").write("LATER", at: 3)
    #expect(try fileSystem.crash(keeping: .nothing).open("f").text() == "synced")
    #expect(try fileSystem.crash(keeping: .everything).open("f").text() == "synLATER")
    #expect(try fileSystem.open("f").text() == "synLATER")
  }

  @Test("a name that was not synced may be lost with its file, or come back")
  func names() throws {
    let fileSystem = try made()
    let file = try fileSystem.create("g")
    try file.write("x", at: 0)
    try file.sync()
    try fileSystem.rename("f", to: "h")
    let nothing = fileSystem.crash(keeping: .nothing)
    #expect(try nothing.list("").sorted() == ["f"])
    #expect(try fileSystem.crash(keeping: .everything).list("").sorted() == ["g", "h"])
    try fileSystem.syncDirectory("")
    #expect(try fileSystem.crash(keeping: .nothing).list("").sorted() == ["g", "h"])
    #expect(try fileSystem.crash(keeping: .nothing).open("h").text() == "synced")
  }

  @Test("a removed name may come back, until its folder is synced")
  func removed() throws {
    let fileSystem = try made()
    try fileSystem.remove("f")
    #expect(try fileSystem.crash(keeping: .nothing).open("f").text() == "synced")
    try fileSystem.syncDirectory("")
    #expect(try fileSystem.crash(keeping: .nothing).list("") == [])
  }

  @Test("seeds make different survivors, one seed the same; only what was written is ever there")
  func seeds() throws {
    let fileSystem = try made()
    let file = try fileSystem.openForWriting("f")
    try file.write([UInt8](repeating: 65, count: 2_000), at: 6)
    try file.write([UInt8](repeating: 66, count: 100), at: 50)
    var seen: Set<[UInt8]> = []
    for seed in 0..<200 {
      let left = try fileSystem.crash(keeping: .seed(UInt64(seed))).open("f").bytes()
      #expect(left == (try fileSystem.crash(keeping: .seed(UInt64(seed))).open("f").bytes()))
      #expect(left.prefix(6) == Array("synced".utf8)[...])
      #expect(left.dropFirst(6).allSatisfy { $0 == 0 || $0 == 65 || $0 == 66 })
      seen.insert(left)
    }
    #expect(seen.count > 10)
  }

  @Test("the n-th call fails and only that")
  func failsAt() throws {
    let fileSystem = FailingFileSystem(wrapping: MemoryFileSystem())
    fileSystem.fail(at: 3, with: .full)
    let file = try fileSystem.create("f")
    try file.write("1", at: 0)
    #expect(FileSystemTests.code { () throws(StorageError) in try file.sync() } == .full)
    try file.sync()
    #expect(fileSystem.callCount == 4)
  }

  @Test("after a stop nothing reaches the disk")
  func stops() throws {
    let memory = MemoryFileSystem(isForgetful: true)
    let fileSystem = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
    fileSystem.stop(at: 3)
    let file = try fileSystem.create("f")
    _ = try fileSystem.list("")
    try file.write("1", at: 0)
    for _ in 0..<2 {
      #expect(FileSystemTests.code { () throws(StorageError) in try file.write("2", at: 1) } == .io)
      #expect(FileSystemTests.code { () throws(StorageError) in try file.sync() } == .io)
    }
    #expect(try memory.open("f").text() == "1")
  }

  @Test("a disk of a capacity is full when the files would outgrow it, and not after a removal")
  func capacity() throws {
    let fileSystem = FailingFileSystem(wrapping: MemoryFileSystem(), capacity: 1_000)
    try fileSystem.createDirectory("d")
    let file = try fileSystem.create("d/f")
    try file.allocate(900)
    let other = try fileSystem.create("g")
    #expect(FileSystemTests.code { () throws(StorageError) in try other.allocate(101) } == .full)
    try file.write([UInt8](repeating: 1, count: 900), at: 0)
    #expect(try fileSystem.space() == (100, 1_000))
    try fileSystem.remove("d/f")
    try other.allocate(1_000)
    #expect(FileSystemTests.code { () throws(StorageError) in try other.write("x", at: 1_000) } == .full)
  }
}
