import Glibc
import TestSupport
import varve

/// The built `varve`, run as users run it: by a shell, in a folder of its own.
final class BuiltCommand {
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }
  /// The working directory; `Fixtures` in it is the package's.
  let folder: String
  private let binaryFolder: String
  /// Variables of the environment for every run: `VARVE_SERVER`.
  var variables: [String: String] = [:]

  /// `nil` where the binary is not beside the tests.
  init?() throws {
    var path = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &path, path.count - 1)
    // Tests run inside the runner; the bundle's folder is told by its arguments.
    let words =
      [String(decoding: path[..<max(count, 0)].map(UInt8.init(bitPattern:)), as: UTF8.self)]
      + CommandLine.arguments
    let folders = words.map {
      $0.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    }
    guard let found = folders.first(where: { access($0 + "/varve", X_OK) == 0 }) else { return nil }
    binaryFolder = found
    var template = Array("/tmp/varve-command-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CommandFailure("no folder for a test: \(systemErrorText(errno))")
    }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    symlink(packageRoot + "/Fixtures", folder + "/Fixtures")
  }

  deinit { _ = try? ChildProcess.run(["rm", "-rf", folder]) }

  /// Runs a line of shell.
  func run(_ line: String) throws -> Outcome {
    let settings = variables.map { "export \($0.key)='\($0.value)'; " }.sorted().joined()
    let script =
      "cd '\(folder)' && export PATH='\(binaryFolder)':$PATH; \(settings)(\(line)\n) >.out 2>.err </dev/null"
    let child = try ChildProcess(["/bin/bash", "-c", script])
    return Outcome(
      status: child.wait(upTo: 300), output: String(decoding: try readWholeFile(folder + "/.out"), as: UTF8.self),
      errors: String(decoding: try readWholeFile(folder + "/.err"), as: UTF8.self))
  }

  /// Writes a file of the folder.
  func write(_ text: String, to name: String) throws {
    let file = fopen(folder + "/" + name, "w")
    guard fputs(text, file) >= 0, fclose(file) == 0 else { throw CommandFailure("cannot write \(name)") }
  }

  /// Starts a line of shell that runs on.
  ///
  /// - Parameter settings: variables of its environment, as `NAME=VALUE`.
  func start(_ line: String, settings: [String] = []) throws -> ChildProcess {
    let settings = settings.map { "'\($0)' " }.joined()
    return try ChildProcess(["/bin/bash", "-c", "cd '\(folder)' && exec env \(settings)'\(binaryFolder)'/\(line)"])
  }

  /// Starts a line of shell on a terminal, of which it is the session's leader.
  func start(_ line: String, terminal: String) throws -> ChildProcess {
    let settings = variables.map { "\($0.key)='\($0.value)' " }.sorted().joined()
    return try ChildProcess(
      ["/bin/bash", "-c", "cd '\(folder)' && exec env \(settings) '\(binaryFolder)'/\(line)"], terminal: terminal)
  }
}

/// A server that one test started on free ports; stopped with the object.
final class StartedServer {
  private let process: ChildProcess
  private(set) var http = ""
  private(set) var tcp = ""
  private(set) var udp = ""

  /// Starts one in a command's folder and tells the command where it is.
  ///
  /// - Parameter settings: variables of its environment, as `NAME=VALUE`.
  init(_ command: BuiltCommand, settings: [String] = []) throws {
    let listeners = ["http", "tcp", "udp"].map { "--\($0) 127.0.0.1:0" }.joined(separator: " ")
    process = try command.start("varve serve --data served \(listeners) 2>serve.log", settings: settings)
    for _ in 0..<600 {
      usleep(50_000)
      guard access(command.folder + "/serve.log", R_OK) == 0 else { continue }
      let log = String(decoding: try readWholeFile(command.folder + "/serve.log"), as: UTF8.self)
      guard log.contains("ready\n") else { continue }
      for line in log.split(separator: "\n") {
        let words = line.split(separator: " ").map(String.init)
        guard words.count == 3, words[0] == "listening" else { continue }
        if words[1] == "http" { http = words[2] }
        if words[1] == "tcp" { tcp = words[2] }
        if words[1] == "udp" { udp = words[2] }
      }
      command.variables = ["VARVE_SERVER": "http://\(http)", "VARVE_TCP": tcp, "VARVE_UDP": udp]
      return
    }
    throw CommandFailure("the server of a test was not ready in time")
  }

  var pid: pid_t { process.identifier }

  /// Asks it to stop; the exit status.
  func stop() -> Int32 {
    process.send(SIGTERM)
    return process.wait()
  }

  deinit { if process.endStatus() == nil { _ = stop() } }
}
