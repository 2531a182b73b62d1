import Glibc

/// The command.
@main struct Varve {
  static func main() {
    // A reader that goes away shows as a failed write, an interrupt as status 130.
    signal(SIGPIPE, SIG_IGN)
    Interrupt.install()
    exit(CommandLineTool().run(Array(CommandLine.arguments.dropFirst()), environment: processEnvironment()))
  }

  private static func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    // Read once, before any thread is started.
    var entry = unsafe environ
    while let text = unsafe entry.pointee {
      let pair = unsafe String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if pair.count == 2, pair[0].hasPrefix("VARVE_") || pair[0] == "NO_COLOR" {
        result[String(pair[0])] = String(pair[1])
      }
      unsafe entry += 1
    }
    return result
  }
}
