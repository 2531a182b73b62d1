import Foundation
package import Glibc

/// A process that a test started, in a group of its own. No wait for it is without end: one that hangs is killed, with all that it
/// started itself, and what its threads waited for is said.
package final class ChildProcess: @unchecked Sendable {
  // Sendable: `status` is read and written under the lock.

  package struct Failure: Error, CustomStringConvertible { package var description: String }

  /// What one of its standard streams is.
  package enum Stream {
    case null
    case inherited
    case descriptor(Int32)
  }

  package let identifier: pid_t
  private let name: String
  private let lock = NSLock()
  private var status: Int32?

  /// Starts a program by its path, or by its name on the path.
  ///
  /// - Parameters:
  ///   - environment: variables beside, and in place of, those of the tests.
  ///   - terminal: a terminal that becomes all three streams, and of which the process leads the session.
  package init(
    _ words: [String], environment: [String: String] = [:], input: Stream = .null, output: Stream = .null,
    errors: Stream = .null, terminal: String? = nil
  ) throws {
    name = words.prefix(3).joined(separator: " ")
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Threads of the test runner block signals, and a child would inherit that.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    // A browser's pipe has it ignored here, and a child would inherit that too.
    var reset = sigset_t()
    sigemptyset(&reset)
    sigaddset(&reset, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &reset)
    // POSIX_SPAWN_SETSID, a macro that is not brought in.
    let group = terminal == nil ? POSIX_SPAWN_SETPGROUP : 0x80
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | Int32(group)))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let terminal {
      // The first terminal that a session's leader opens is its own.
      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0)
      posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
      posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
    } else {
      Self.add(input, as: STDIN_FILENO, to: &actions)
      Self.add(output, as: STDOUT_FILENO, to: &actions)
      Self.add(errors, as: STDERR_FILENO, to: &actions)
    }
    // Pipes and sockets of other tests would seem open for as long as this process lives.
    _ = Self.addCloseFrom?(&actions, 3)
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    var pid = pid_t()
    let failure = Self.withWords(words) { words in
      Self.withWords(variables) { posix_spawnp(&pid, words[0] ?? strdup(""), &actions, &attributes, words, $0) }
    }
    guard failure == 0 else { throw Failure(description: "\(name): \(String(cString: strerror(failure)))") }
    identifier = pid
  }

  deinit { kill() }

  /// `posix_spawn_file_actions_addclosefrom_np` of glibc 2.34, which is not brought in.
  private static let addCloseFrom: (@convention(c) (UnsafeMutableRawPointer, Int32) -> Int32)? =
    dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map { unsafeBitCast($0, to: (@convention(c) (UnsafeMutableRawPointer, Int32) -> Int32).self) }

  private static func add(_ stream: Stream, as descriptor: Int32, to actions: inout posix_spawn_file_actions_t) {
    switch stream {
    case .null: posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    case .inherited: break
    case .descriptor(let source): posix_spawn_file_actions_adddup2(&actions, source, descriptor)
    }
  }

  private static func withWords<Answer>(
    _ words: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Answer
  ) -> Answer {
    let copies: [UnsafeMutablePointer<CChar>?] = words.map { (word: String) in strdup(word) } + [nil]
    defer { for copy in copies { free(copy) } }
    return body(copies)
  }

  /// The exit status once it has ended, 128 and the signal where one ended it; `nil` while it runs.
  package func endStatus() -> Int32? { lock.withLock { reap(WNOHANG) } }

  private func reap(_ options: Int32) -> Int32? {
    if let status { return status }
    var found: Int32 = 0
    var ended: pid_t
    repeat { ended = waitpid(identifier, &found, options) } while ended < 0 && errno == EINTR
    guard ended != 0 else { return nil }
    status = found & 0x7f == 0 ? found >> 8 & 0xff : 128 + found & 0x7f
    return status
  }

  package func send(_ signal: Int32) {
    // Never to a number that another process may have by now.
    lock.withLock { if reap(WNOHANG) == nil { _ = Glibc.kill(identifier, signal) } }
  }

  /// Ends it and all of its group at once, and waits for that.
  package func kill() {
    lock.withLock {
      guard reap(WNOHANG) == nil else { return }
      _ = Glibc.kill(-identifier, SIGKILL)
      _ = Glibc.kill(identifier, SIGKILL)
      _ = reap(0)
    }
  }

  /// Waits for its end; past that many seconds it is killed, which the status and a line on standard error say.
  @discardableResult package func wait(upTo seconds: Double = 300) -> Int32 {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
      if let status = endStatus() { return status }
      guard Date() < deadline else { break }
      usleep(2_000)
    }
    let words = "\(name) did not end within \(seconds) s and is killed; its threads:\n\(threads())"
    FileHandle.standardError.write(Data(words.utf8))
    kill()
    return endStatus() ?? -1
  }

  /// Name, state and place in the kernel of each of its threads.
  private func threads() -> String {
    let folder = "/proc/\(identifier)/task"
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return numbers.sorted().map { number in
      let texts = ["comm", "wchan", "syscall"].map { name in
        ((try? String(contentsOfFile: "\(folder)/\(number)/\(name)", encoding: .utf8)) ?? "?")
          .trimmingCharacters(in: .whitespacesAndNewlines)
      }
      return "  \(number) " + texts.joined(separator: ", ") + "\n"
    }.joined()
  }
}

extension ChildProcess {
  /// How a program ended, and what it wrote.
  package struct Outcome {
    package var status: Int32
    package var output: [UInt8]
    package var errors: [UInt8]
    package var text: String { String(decoding: output, as: UTF8.self) }
    package var words: String { String(decoding: errors, as: UTF8.self) }
  }

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - input: what it reads from standard input.
  ///   - isJoined: standard error goes where standard output goes.
  package static func run(
    _ words: [String], input: [UInt8] = [], isJoined: Bool = false, upTo seconds: Double = 300
  ) throws -> Outcome {
    let (given, output, errors) = (try ScratchFile(input), try ScratchFile(), try ScratchFile())
    let child = try ChildProcess(
      words, input: .descriptor(given.descriptor), output: .descriptor(output.descriptor),
      errors: .descriptor(isJoined ? output.descriptor : errors.descriptor))
    return Outcome(status: child.wait(upTo: seconds), output: output.bytes(), errors: errors.bytes())
  }
}
