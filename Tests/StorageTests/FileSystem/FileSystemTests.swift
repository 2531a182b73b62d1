import Storage
import Synchronization
import TestSupport
import Testing

/// What every implementation of `FileSystem` must do; each test runs over all of them.
@Suite("FileSystem: every implementation")
struct FileSystemTests {
  enum Kind: String, CaseIterable, Sendable { case posix, memory, forgetful, failing, crashed, rooted }

  /// Gives `body` an empty file system of a kind, and a folder outside of it for links.
  static func with(_ kind: Kind, _ body: (any FileSystem, String) throws -> Void) throws {
    switch kind {
    case .posix:
      try TemporaryDirectory.with { path in
        let fileSystem = POSIXFileSystem(root: path + "/root")
        try fileSystem.createDirectory("")
        try POSIXFileSystem(root: path).createDirectory("outside")
        try body(fileSystem, path + "/outside")
      }
    default:
      let memory = MemoryFileSystem(isForgetful: kind != .memory)
      try memory.createDirectory("outside")
      switch kind {
      case .failing: try body(FailingFileSystem(wrapping: memory), "/outside")
      case .rooted:
        let inner = FailingFileSystem(wrapping: memory).rooted(at: "/a/root")
        try inner.createDirectory("")
        try body(inner, "/outside")
      case .crashed: try body(memory.crash(keeping: .everything), "/outside")
      default: try body(memory, "/outside")
      }
    }
  }

  static func code(_ body: () throws(StorageError) -> Void) -> StorageError.Code? {
    do throws(StorageError) { try body() } catch { return error.code }
    return nil
  }

  @Test("a file gives back what was written, wherever it was written", arguments: Kind.allCases)
  func writeAndRead(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      try fileSystem.createDirectory("a/b")
      let file = try fileSystem.create("a/b/c")
      #expect(try file.byteCount() == 0)
      try file.write("hello", at: 0)
      try file.write("HE", at: 0)
      try file.write("end", at: 10)
      #expect(try file.byteCount() == 13)
      #expect(try file.text() == "HEllo\0\0\0\0\0end")
      try file.write("xxxxx", at: 3)
      #expect(try fileSystem.open("a/b/c").text() == "HElxxxxx\0\0end")
      try file.sync()
      try file.close()
      let again = try fileSystem.openForWriting("a/b/c")
      try again.write("!", at: 13)
      #expect(try again.text() == "HElxxxxx\0\0end!")
      again.forget(0..<14)
    }
  }

  @Test("a read past the end is corrupt and says where the file ends", arguments: Kind.allCases)
  func readPastEnd(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      let file = try fileSystem.create("f")
      try file.write("12345", at: 0)
      for (offset, count) in [(UInt64(0), 6), (5, 1), (4, 2), (100, 1)] {
        do throws(StorageError) {
          _ = try file.bytes(at: offset, count: count)
          Issue.record("read \(count) at \(offset)")
        } catch {
          #expect(error.code == .corrupt)
          #expect(error.offset == offset)
          #expect(error.file == "f")
        }
      }
      #expect(try file.bytes(at: 5, count: 0) == [])
    }
  }

  @Test("cutting keeps the front, extending and allocating read as zeros", arguments: Kind.allCases)
  func truncateAndAllocate(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      let file = try fileSystem.create("f")
      try file.write("abcdef", at: 0)
      try file.truncate(to: 3)
      #expect(try file.text() == "abc")
      try file.truncate(to: 5)
      #expect(try file.text() == "abc\0\0")
      try file.allocate(8)
      #expect(try file.text() == "abc\0\0\0\0\0")
      try file.allocate(2)
      #expect(try file.byteCount() == 8)
      try file.write("z", at: 7)
      #expect(try file.text() == "abc\0\0\0\0z")
      try file.truncate(to: 0)
      #expect(try file.byteCount() == 0)
    }
  }

  @Test("names are listed, found, renamed over others and removed", arguments: Kind.allCases)
  func names(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      try fileSystem.createDirectory("d")
      try fileSystem.createDirectory("d")
      try fileSystem.create("d/one").write("1", at: 0)
      try fileSystem.create("d/two").write("2", at: 0)
      try fileSystem.createDirectory("d/sub")
      #expect(try fileSystem.list("d").sorted() == ["one", "sub", "two"])
      #expect(try fileSystem.list("").contains("d"))
      #expect(try fileSystem.exists("d/one") && fileSystem.exists("d/sub") && fileSystem.exists(""))
      #expect(try !fileSystem.exists("d/three") && !fileSystem.exists("no/such") && !fileSystem.exists("d/one/x"))
      try fileSystem.rename("d/one", to: "d/two")
      #expect(try fileSystem.open("d/two").text() == "1")
      #expect(try !fileSystem.exists("d/one"))
      try fileSystem.remove("d/two")
      try fileSystem.remove("d/two")
      try fileSystem.removeDirectory("d/sub")
      try fileSystem.removeDirectory("d/sub")
      #expect(try fileSystem.list("d") == [])
      try fileSystem.syncDirectory("d")
      try fileSystem.syncDirectory("")
    }
  }

  @Test("what is not there or in the way is told apart", arguments: Kind.allCases)
  func errors(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      _ = try fileSystem.create("f")
      try fileSystem.createDirectory("d/e")
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.create("f") } == .exists)
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.create("no/f") } == .notFound)
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.open("no") } == .notFound)
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.openForWriting("no") } == .notFound)
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.list("no") } == .notFound)
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.list("f") } == .io)
      #expect(Self.code { () throws(StorageError) in try fileSystem.rename("no", to: "x") } == .notFound)
      #expect(Self.code { () throws(StorageError) in try fileSystem.removeDirectory("d") } != nil)
      #expect(Self.code { () throws(StorageError) in try fileSystem.createDirectory("f/x") } == .exists)
      #expect(Self.code { () throws(StorageError) in try fileSystem.syncDirectory("no") } == .notFound)
      let file = try fileSystem.openForWriting("f")
      try file.close()
      try file.close()
      #expect(Self.code { () throws(StorageError) in _ = try file.byteCount() } == .invalid)
    }
  }

  @Test("a link is a second name for the same bytes and outlives the first", arguments: Kind.allCases)
  func link(kind: Kind) throws {
    try Self.with(kind) { fileSystem, outside in
      try fileSystem.create("f").write("kept", at: 0)
      #expect(try fileSystem.link("f", toPath: outside + "/g"))
      #expect(Self.code { () throws(StorageError) in _ = try fileSystem.link("f", toPath: outside + "/g") } == .exists)
      try fileSystem.remove("f")
      #expect(try fileSystem.rooted(at: outside).open("g").text() == "kept")
    }
  }

  @Test("a file is transferred or copied whole, under its name only", arguments: Kind.allCases)
  func transfer(kind: Kind) throws {
    try Self.with(kind) { fileSystem, outside in
      let bytes = (0..<(1 << 20) + 17).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try fileSystem.create("f").write(bytes, at: 0)
      let other = fileSystem.rooted(at: outside)
      _ = try other.create("copy" + MemoryFileSystem.partialSuffix)
      #expect(try fileSystem.transfer("f", to: other, as: "link"))
      try fileSystem.copy("f", to: other, as: "copy")
      #expect(try other.open("copy").bytes() == bytes && other.list("").sorted() == ["copy", "link"])
      for name in ["copy", "link"] { #expect(try fileSystem.isLikely("f", sameAs: other, name)) }
      try other.openForWriting("copy").write("?", at: UInt64(bytes.count - 1))
      #expect(try !fileSystem.isLikely("f", sameAs: other, "copy"))
    }
  }

  @Test("a root is told from what lies beside and below it, and made with what is above it", arguments: Kind.allCases)
  func roots(kind: Kind) throws {
    try Self.with(kind) { fileSystem, outside in
      let deep = fileSystem.rooted(at: outside + "/a/b")
      #expect(try !deep.exists(""))
      try deep.createDirectory("")
      try deep.createDirectory("")
      _ = try deep.create("f")
      #expect(try fileSystem.rooted(at: outside).list("a/b") == ["f"])
      #expect(deep.holds(path: outside + "/a/b/c/d") && deep.holds(path: outside + "/a/b"))
      #expect(!deep.holds(path: outside + "/a/bc") && !deep.holds(path: outside + "/a"))
      #expect(try deep.rooted(at: deep.path(of: "g")).exists("") == false)
    }
  }

  @Test("a lock is held by one, says by whom, and is free when its holder goes", arguments: Kind.allCases)
  func lock(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      do {
        let first = try fileSystem.lock("LOCK")
        do throws(StorageError) {
          _ = try fileSystem.lock("LOCK")
          Issue.record("locked twice")
        } catch {
          #expect(error.code == .locked)
          if kind == .posix { #expect(error.detail.contains("is held by pid ")) }
        }
        withExtendedLifetime(first) {}
      }
      _ = try fileSystem.lock("LOCK")
    }
  }

  @Test("space is known and free is at most all", arguments: Kind.allCases)
  func space(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      let (free, total) = try fileSystem.space()
      #expect(free <= total && total > 0)
    }
  }

  @Test("one file is read by several threads at once", arguments: Kind.allCases)
  func concurrentReads(kind: Kind) throws {
    try Self.with(kind) { fileSystem, _ in
      let file = try fileSystem.create("f")
      let bytes = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      try file.write(bytes, at: 0)
      let wrongCount = Atomic(0)
      let threads = try (0..<4).map { start in
        try WorkerThread(name: "reader") {
          for offset in stride(from: start, to: 65_000, by: 977) {
            let read = try? file.bytes(at: UInt64(offset), count: 500)
            if read != Array(bytes[offset..<offset + 500]) { wrongCount.add(1, ordering: .relaxed) }
          }
        }
      }
      for thread in threads { thread.join() }
      #expect(wrongCount.load(ordering: .relaxed) == 0)
    }
  }
}
