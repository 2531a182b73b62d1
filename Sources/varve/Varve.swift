import Glibc

/// The command.
@main struct Varve {
  static func main() {
    holdStandardDescriptors()
    // A reader that goes away shows as a failed write, an interrupt as status 130.
    signal(SIGPIPE, SIG_IGN)
    Interrupt.install()
    exit(CommandLineTool().run(Array(CommandLine.arguments.dropFirst()), environment: processEnvironment()))
  }

  /// Takes the numbers of standard input, output and error where the caller has closed them: else a file of a store would get one, and what
  /// is printed would be written into it.
  private static func holdStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // Input that cannot be read and output that cannot be written, as if still closed; words to nobody are no error. The lowest free
      // number is the one that is looked at.
      _ = unsafe open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY)
    }
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
