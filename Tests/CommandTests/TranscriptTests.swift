import Glibc
import TestSupport
import Testing
import varve

/// What the README shows as typed and answered: blocks of ```` ```console ````, in which a line that begins with `$ ` is typed and those up to the next one are what
/// then stands on the terminal. `VARVE_TRANSCRIPTS=write` puts in what is answered now. A block ```` ```console with a server ```` has a running server,
/// one `with InfluxDB` an InfluxDB too, where one is installed: what it shows calls that one `old:8086`.
@Suite("Transcripts of the README")
struct TranscriptTests {
  private struct Step {
    var typed: String
    var shown: [String] = []
  }

  @Test("each line that is shown as typed answers what is shown")
  func readme() throws {
    let path = packageRoot + "/README.md"
    let lines = String(decoding: try readWholeFile(path), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
    let isWriting = getenv("VARVE_TRANSCRIPTS").map { String(cString: $0) } == "write"
    var written: [String] = []
    var (index, stepCount) = (0, 0)
    while index < lines.count {
      written.append(lines[index])
      guard lines[index].hasPrefix("```console") else {
        index += 1
        continue
      }
      let end = lines[index...].firstIndex(of: "```") ?? lines.count
      // A block has a folder of its own, in which its lines follow each other.
      let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
      let hasInflux = lines[index].hasSuffix(" with InfluxDB")
      if hasInflux, InfluxProcess.binary == nil {
        written += lines[(index + 1)..<end]
        index = end
        continue
      }
      let server = lines[index].contains(" with ") ? try StartedServer(command) : nil
      let influx = try hasInflux ? InfluxProcess.binary.map { try InfluxProcess($0, directory: command.folder) } : nil
      defer { influx?.stop() }
      command.variables["NO_COLOR"] = "1"
      for step in steps(lines[(index + 1)..<end]) {
        let typed = influx.map { step.typed.replacing("old:8086", with: $0.http) } ?? step.typed
        let outcome = try command.run("(\(typed)) 2>&1")
        let output = influx.map { outcome.output.replacing($0.http, with: "old:8086") } ?? outcome.output
        var shown = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if shown.last == "" { shown.removeLast() }
        written += ["$ " + step.typed] + shown
        stepCount += 1
        if !isWriting { #expect(shown == step.shown, "\(step.typed)") }
      }
      if let server { #expect(server.stop() == 0) }
      index = end
    }
    #expect(stepCount > 8)
    if isWriting {
      let file = fopen(path, "w")
      #expect(fputs(written.joined(separator: "\n"), file) >= 0 && fclose(file) == 0)
    }
  }

  private func steps(_ lines: ArraySlice<String>) -> [Step] {
    var steps: [Step] = []
    for line in lines {
      if line.hasPrefix("$ ") {
        steps.append(Step(typed: String(line.dropFirst(2))))
      } else if !steps.isEmpty {
        steps[steps.count - 1].shown.append(line)
      }
    }
    return steps
  }
}
