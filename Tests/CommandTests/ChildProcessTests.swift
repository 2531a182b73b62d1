import Foundation
import Glibc
import TestSupport
import Testing

/// What the tests hold real processes with.
@Suite("Child processes")
struct ChildProcessTests {
  @Test("one that does not end is killed with all that it started, and a wait has its end")
  func hangs() throws {
    let output = try ScratchFile()
    let child = try ChildProcess(
      ["/bin/bash", "-c", "trap '' TERM INT; sleep 1000 & echo $!; wait; wait"], output: .descriptor(output.descriptor))
    while output.bytes().last != UInt8(ascii: "\n") { usleep(1_000) }
    let inner = try #require(pid_t(String(decoding: output.bytes().dropLast(), as: UTF8.self)))
    child.send(SIGTERM)
    #expect(child.wait(upTo: 0.05) == 128 + SIGKILL)
    #expect(child.endStatus() == 128 + SIGKILL)
    // It ends in its own time, and whoever takes over orphans reaps it when it likes; until then it is a zombie.
    var state: Substring? = "R"
    for _ in 0..<5_000 where state != nil && state != "Z" {
      usleep(2_000)
      state = try? String(contentsOfFile: "/proc/\(inner)/stat", encoding: .utf8).split(separator: " ")[2]
    }
    #expect(state == nil || state == "Z")
  }

  @Test("it gets its three streams and no descriptor of a neighbour")
  func descriptors() throws {
    let neighbour = try ScratchFile()
    #expect(fcntl(neighbour.descriptor, F_SETFD, 0) == 0)
    let outcome = try ChildProcess.run(["/bin/bash", "-c", "cat; echo words >&2; echo /proc/$$/fd/*; exit 3"], input: Array("given\n".utf8))
    #expect(outcome.status == 3 && outcome.words == "words\n")
    let lines = outcome.text.split(separator: "\n")
    let open = lines.last?.split(separator: " ").compactMap { $0.split(separator: "/").last.map(String.init) } ?? []
    #expect(lines.first == "given")
    #expect(open.filter { $0 != "255" }.prefix(3) == ["0", "1", "2"] && !open.contains("\(neighbour.descriptor)"), "\(open)")
  }

  @Test("a program that is not there is told")
  func missing() {
    #expect(throws: ChildProcess.Failure.self) { try ChildProcess(["/nowhere/varve"]) }
  }
}
