import Foundation
import TestSupport
import Testing

/// Start, stop, and what keeps a server from starting.
@Suite("Life cycle", .serialized)
struct LifeCycleTests {
  /// Starts a server that must not start; what it said.
  private func refusal(_ directory: String, _ arguments: [String] = [], prefix: [String] = []) -> String {
    do {
      let server = try ServerProcess(dataDirectory: directory, arguments: arguments, prefix: prefix)
      server.stop()
      Issue.record("the server started: \(server.output)")
      return ""
    } catch let failure as ServerProcess.StartFailure {
      #expect(failure.status == 1, "\(failure)")
      // The words are said once, by the command.
      #expect(
        failure.output.split(separator: "\n").filter { $0.hasPrefix("varve serve: ") }.count == 1,
        "\(failure)")
      return failure.output
    } catch {
      Issue.record("\(error)")
      return ""
    }
  }

  @Test("SIGTERM takes in what was sent, answers what was asked, and all is there after a restart")
  func drains() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let sockets = try (0..<8).map { _ in try TestSocket(server.tcp) }
      for (index, socket) in sockets.enumerated() {
        let lines = (0..<5_000).map { "drain,c=\(index) f=\($0)i \(1_000_000_000_000_000_000 + $0)\n" }
          .joined()
        try socket.send(lines + (index < 4 ? "# ack t\n" : ""))
      }
      #expect(server.stop() == 0)
      for socket in sockets[..<4] {
        #expect(try socket.answer().last == "ok t accepted=5000 rejected=0")
        #expect(try socket.readLine() == nil)
      }
      let again = try ServerProcess(dataDirectory: directory)
      let found = try again.ask("SELECT count(f) FROM drain GROUP BY c").map { $0.values.first?.last?.integer }
      #expect(found == Array(repeating: 5_000, count: 8))
      #expect(again.stop() == 0)
    }
  }

  @Test("what the sender's system still holds at a stop is taken in too")
  func drainsSenders() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let sockets = try (0..<12).map { _ in try TestSocket(server.tcp) }
      // More than a stopped server's system has room for.
      Foundation.kill(server.processIdentifier, SIGSTOP)
      var lineCount = 0
      for (index, socket) in sockets.enumerated() {
        let lines = (0..<20_000).map { "held,c=\(index) f=\($0)i \(1_000_000_000_000_000_000 + $0)\n" }
        let bytes = Array(lines.joined().utf8)
        lineCount += bytes[..<socket.sendWithoutWaiting(bytes)].count { $0 == UInt8(ascii: "\n") }
      }
      #expect(lineCount > 12 * 2_000)
      Foundation.kill(server.processIdentifier, SIGTERM)
      Foundation.kill(server.processIdentifier, SIGCONT)
      #expect(server.stop() == 0)
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("f", of: "held") == lineCount)
      #expect(again.stop() == 0)
    }
  }

  @Test("connections that were not yet accepted are drained too")
  func drainsBacklog() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      // Stopped by the system, it cannot accept; the kernel does.
      Foundation.kill(server.processIdentifier, SIGSTOP)
      let sockets = try (0..<20).map { _ in try TestSocket(server.tcp) }
      for (index, socket) in sockets.enumerated() { try socket.send("late,c=\(index) f=1i 1\n# ack t\n") }
      Foundation.kill(server.processIdentifier, SIGTERM)
      Foundation.kill(server.processIdentifier, SIGCONT)
      #expect(server.stop() == 0)
      for socket in sockets { #expect(try socket.answer().last == "ok t accepted=1 rejected=0") }
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("f", of: "late") == 20)
    }
  }

  @Test("a restart keeps databases, policies and points; a changed --retention is warned of")
  func restart() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      var server = try ServerProcess(dataDirectory: directory, arguments: ["--retention", "7d"])
      _ = try server.ask("CREATE DATABASE \"other\"")
      let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
      #expect(
        try RawHTTP.ask(server.http, "POST", "/write?db=other", body: Array("m f=1i \(now)".utf8)).status
          == 204)
      #expect(server.stop() == 0)
      server = try ServerProcess(dataDirectory: directory, arguments: ["--retention", "14d"])
      #expect(
        server.output.contains("warning: database metrics keeps its retention of 604800 s"),
        "\(server.output)")
      let databases = try server.ask("SHOW DATABASES").first?.values.map(\.[0])
      #expect(databases == [.string("metrics"), .string("other")])
      #expect(
        try server.ask("SELECT f FROM m", database: "other").first?.values == [[.integer(now), .integer(1)]])
      #expect(server.stop() == 0)
    }
  }

  @Test("after kill -9 the torn end of the log is cut, and counted")
  func killed() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let socket = try TestSocket(server.tcp)
      try socket.send(
        (0..<1_000).map { "k f=\($0)i \(1_000_000_000_000_000_000 + $0)\n" }.joined() + "# ack t\n")
      #expect(try socket.answer().last == "ok t accepted=1000 rejected=0")
      server.kill()
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("f", of: "k") == 1_000)
      #expect(try again.ask("SELECT sum(f) FROM k").first?.values.first?.last == .integer(499_500))
      #expect(again.stop() == 0)
    }
  }

  @Test("SIGTERM as soon as the listeners are bound ends the replay and the server, and nothing is lost")
  func stoppedWhileReplaying() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let socket = try TestSocket(server.tcp)
      for round in 0..<20 {
        let times = (0..<2_000).map { 1_000_000_000_000_000_000 + round * 2_000 + $0 }
        try socket.send(times.map { "k f=1i \($0)\n" }.joined())
        #expect(try socket.acknowledge("r\(round)") == "ok r\(round) accepted=2000 rejected=0")
      }
      server.kill()
      var stored: Int64 = 40_000
      for round in 0..<3 {
        let stopped = try ServerProcess(dataDirectory: directory, until: "listening udp")
        if round == 1 {
          // What is acknowledged while it starts is kept too.
          let late = try TestSocket(stopped.tcp)
          try late.send("k f=1i 5\n")
          #expect(try late.acknowledge("late") == "ok late accepted=1 rejected=0")
          stored += 1
        }
        #expect(stopped.stop() == 0, "\(stopped.output)")
      }
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("f", of: "k") == stored)
      #expect(again.stop() == 0)
    }
  }

  @Test("damage in the log is said with file and offset, and ends the server")
  func damagedLog() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let socket = try TestSocket(server.tcp)
      for round in 0..<3 {
        try socket.send("d f=\(round)i \(1_000_000_000_000_000_000 + round)\n")
        #expect(try socket.acknowledge("r") == "ok r accepted=1 rejected=0")
      }
      server.kill()
      let path = directory + "/wal/0000000001.wal"
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: 56 + 36)
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: 56 + 36)
      try file.write(contentsOf: [byte ^ 1])
      try file.close()
      let words = refusal(directory)
      #expect(words.contains("wal/0000000001.wal:56: the log is damaged"), "\(words)")
    }
  }

  @Test("a port in use is said, with the listener", arguments: ["http", "tcp", "udp"])
  func portInUse(kind: String) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory + "/one")
      let address = ["http": server.http, "tcp": server.tcp, "udp": server.udp][kind] ?? ""
      let words = refusal(directory + "/two", ["--\(kind)", address])
      #expect(words.contains("cannot listen on \(kind) \(address): Address already in use"), "\(words)")
      #expect(words.contains("--\(kind)"), "\(words)")
      #expect(server.stop() == 0)
    }
  }

  @Test("a directory that another server holds is said, with who holds it")
  func locked() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let words = refusal(directory)
      #expect(words.contains("LOCK: "), "\(words)")
      #expect(words.contains("held by pid \(server.processIdentifier)"), "\(words)")
      #expect(server.stop() == 0)
    }
  }

  @Test("a file in the directory's place is said")
  func notADirectory() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let path = directory + "/file"
      #expect(FileManager.default.createFile(atPath: path, contents: nil))
      let words = refusal(path)
      #expect(words.contains(path), "\(words)")
    }
  }

  @Test("a directory that may not be read is said", .enabled(if: canBecomeNobody))
  func unreadable() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      // Only its owner, root, may enter.
      let words = refusal(directory, prefix: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
      #expect(words.contains("Permission denied"), "\(words)")
      #expect(words.contains(directory), "\(words)")
    }
  }

  @Test("a directory of a newer format is left alone, and said")
  func newerFormat() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      try ServerProcess(dataDirectory: directory).stop()
      let path = try manifest(in: directory)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      var lines = text.split(separator: "\n").map(String.init)
      let json = lines[0].dropFirst(9).replacing("\"format\":2", with: "\"format\":9")
      lines[0] = checksummed(String(json))
      let changed = lines.joined(separator: "\n") + "\n"
      try changed.write(toFile: path, atomically: false, encoding: .utf8)
      let words = refusal(directory)
      #expect(words.contains("manifest format 9, this version reads 1"), "\(words)")
      #expect(words.contains(path.split(separator: "/").last ?? "?"), "\(words)")
      #expect(try String(contentsOfFile: path, encoding: .utf8) == changed)
    }
  }

  @Test("a damaged manifest is said, with file and offset")
  func damagedManifest() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      try ServerProcess(dataDirectory: directory).stop()
      let path = try manifest(in: directory)
      var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: path)))
      bytes[40] ^= 1
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let words = refusal(directory)
      #expect(words.contains("\(path.split(separator: "/").last ?? "?"):0"), "\(words)")
    }
  }

  private func manifest(in directory: String) throws -> String {
    let name = try FileManager.default.contentsOfDirectory(atPath: directory).filter {
      $0.hasPrefix("MANIFEST-")
    }.max()
    return directory + "/" + (try #require(name))
  }

  /// A manifest line: CRC32C in hexadecimal, a blank, the text.
  private func checksummed(_ json: String) -> String {
    var crc: UInt32 = ~0
    for byte in json.utf8 {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
    }
    let text = String(~crc, radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text + " " + json
  }

  @Test(
    "a full disk refuses writes with words, answers go on, and writing goes on once there is room",
    .tags(.slow),
    .enabled(if: runsSlowTests && canMount))
  func fullDisk() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let mount = directory + "/disk"
      try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: false)
      try #require(run("mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", mount) == 0)
      defer { _ = run("umount", "-l", mount) }
      let server = try ServerProcess(dataDirectory: mount + "/data")
      let socket = try TestSocket(server.tcp)
      try socket.send("full f=1i 1000000000000000000\n")
      #expect(try socket.acknowledge("a") == "ok a accepted=1 rejected=0")
      // Something else takes what is left.
      let hog = mount + "/hog"
      _ = run("dd", "if=/dev/zero", "of=" + hog, "bs=1M", "count=400")
      let padding = String(repeating: "x", count: 1_000)
      var stored: Int64 = 1
      var refused = ""
      for round in 0..<400 where refused.isEmpty {
        let lines = (0..<1_000).map {
          "full,r=\(round) f=\($0)i,s=\"\(padding)\" \(1_000_000_000_000_000_000 + round * 1_000 + $0)\n"
        }
        try socket.send(lines.joined())
        let answer = try socket.acknowledge("r\(round)")
        if answer == "ok r\(round) accepted=1000 rejected=0" { stored += 1_000 } else { refused = answer }
      }
      #expect(refused.hasPrefix("fail r"), "\(refused)")
      #expect(refused.contains("space") || refused.contains("full"), "\(refused)")
      let answer = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Array("full f=2i 5\n".utf8))
      #expect(answer.status == 503 || answer.status == 204, "\(answer.text)")
      if answer.status == 204 { stored += 1 }
      #expect(try server.count("f", of: "full") >= stored)
      #expect(try server.metrics().rejected("tcp", "overload") > 0)
      // Room again: the same connection writes on.
      try FileManager.default.removeItem(atPath: hog)
      var last = ""
      for attempt in 0..<100 where !last.hasPrefix("ok") {
        try socket.send("after f=\(attempt)i \(1_000_000_000_000_000_000 + attempt)\n")
        last = try socket.acknowledge("again")
        if !last.hasPrefix("ok") { usleep(100_000) }
      }
      #expect(last == "ok again accepted=1 rejected=0")
      #expect(server.stop() == 0, "\(server.output)")
      let again = try ServerProcess(dataDirectory: mount + "/data")
      #expect(try again.count("f", of: "full") >= stored)
      #expect(try again.count("f", of: "after") >= 1)
      #expect(again.stop() == 0)
    }
  }
}

/// Runs a command and returns its status.
@discardableResult private func run(_ command: String...) -> Int32 {
  (try? ChildProcess(command).wait()) ?? -1
}

/// Whether this process may become another user that can run the server.
private let canBecomeNobody =
  getuid() == 0
  && run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ServerProcess.binary, "--version")
    == 0

/// Whether this process may mount a small file system.
private let canMount: Bool = {
  guard getuid() == 0 else { return false }
  let made = try? TemporaryDirectory.with { (directory: String) throws in
    let isMounted = run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory) == 0
    if isMounted { run("umount", directory) }
    return isMounted
  }
  return made ?? false
}()
