import CShims
import Client
import Glibc
import Server

/// `varve doctor`.
package let doctorCommand = Subcommand(
  name: "doctor",
  summary: "Check the machine and a running server, and say what to do",
  flags: [
    CommonFlags.server,
    Flag("data", .string, "DIR", default: "./varve-data", help: "the data directory, for its disk"),
    CommonFlags.format,
  ],
  examples: [("varve doctor --data ./varve-data", "exit status 1 where something needs doing")],
  run: { arguments in
    var findings = Doctor(arguments).machineFindings()
    findings += try Doctor(arguments).serverFindings()
    var report = Report("doctor", columns: ["check", "result", "found", "advice"])
    for finding in findings {
      report.append([
        .text(finding.check), .text(finding.advice.isEmpty ? "fine" : "do"), .text(finding.found),
        .text(finding.advice),
      ])
    }
    try report.print(arguments.string("format"))
    return findings.contains { !$0.advice.isEmpty } ? 1 : 0
  })

/// One thing that was looked at.
private struct Finding {
  var check: String
  var found: String
  /// What to do; empty where nothing needs doing.
  var advice = ""
}

private struct Doctor {
  private let arguments: Arguments

  init(_ arguments: Arguments) { self.arguments = arguments }

  // MARK: Machine

  func machineFindings() -> [Finding] { [openFiles(), receiveBuffer(), clock(), disk()].compactMap { $0 } }

  private func openFiles() -> Finding? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    let isFew = limit.rlim_max < 65_536
    return Finding(
      check: "open files", found: limit.rlim_max > 1 << 32 ? "unlimited" : "\(limit.rlim_max)",
      advice: isFew
        ? "raise the hard limit to 65536: LimitNOFILE=65536 in the service unit, or ulimit -Hn" : "")
  }

  /// A burst of datagrams is lost where it is larger than the kernel's buffer.
  private func receiveBuffer() -> Finding? {
    guard let byteCount = number(in: "/proc/sys/net/core/rmem_max") else { return nil }
    return Finding(
      check: "UDP receive buffer", found: "\(byteCount) bytes at most",
      advice: byteCount < 4 << 20 ? "sysctl -w net.core.rmem_max=8388608, or UDP bursts are lost" : "")
  }

  private func clock() -> Finding? {
    let code = CShims_clock_is_synchronised()
    guard code >= 0 else { return nil }
    return Finding(
      check: "clock", found: code == 0 ? "not synchronised" : "synchronised",
      advice: code == 0 ? "run an NTP client: points without a timestamp take this clock" : "")
  }

  private func disk() -> Finding? {
    var space = statvfs()
    let path = arguments.text("data")
    let existing = unsafe access(path, F_OK) == 0 ? path : "."
    guard unsafe statvfs(existing, &space) == 0, space.f_blocks > 0 else { return nil }
    let percent = space.f_bavail * 100 / space.f_blocks
    let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
    return Finding(
      check: "disk of \(existing)", found: "\(free >> 20) MiB free, \(percent) %",
      advice: percent < 10 || free < 2 << 30
        ? "make room, or shorten a policy with ALTER RETENTION POLICY: a merge needs space for what it writes"
        : "")
  }

  private func number(in path: String) -> Int? {
    // A kernel without this setting lacks the file: then there is nothing to say.
    guard unsafe access(path, R_OK) == 0, let bytes = try? readWholeFile(path) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
  }

  // MARK: Server

  /// What the server got, which may be less than what a shell gets.
  private func openFiles(_ metrics: Metrics) -> [Finding] {
    metrics.samples.filter { $0.name == "varve_open_files_limit" }.map { sample in
      let isFew = sample.value < Double(OpenFileLimit.countEnough)
      return Finding(
        check: "open files of the server", found: "\(Int(sample.value))",
        advice: isFew ? "fewer connections are taken: LimitNOFILE=65536 in the service unit" : "")
    }
  }

  func serverFindings() throws -> [Finding] {
    let client = try HTTPClient(arguments.text("server"))
    client.timeoutMilliseconds = 10_000
    let metrics: Metrics
    do {
      metrics = try Metrics(client)
    } catch let error as ClientError where error.code == .unreachable {
      return [Finding(check: "server", found: "none at \(client.baseURL)", advice: "start one: varve serve")]
    }
    let counters: [(check: String, metric: String, advice: String)] = [
      (
        "datagrams dropped by the kernel", "varve_udp_kernel_drops_total",
        "raise net.core.rmem_max, or send over TCP"
      ),
      (
        "datagrams dropped under load", "varve_udp_overload_drops_total",
        "send less, over TCP, or give the server more cores"
      ),
      (
        "writes refused", "varve_degraded", "see the server's log: writes are refused until its cause is gone"
      ),
      (
        "points of series over a limit", "varve_series_refused_total",
        "varve stats series shows which tag grows: send it as a field, or raise serve --series-limit, --tag-values-limit"
      ),
      (
        "damage met", "varve_corruptions_total",
        "varve verify names files and offsets; stop the server and run varve repair"
      ),
      (
        "seconds of stalled writes", "varve_stall_seconds_total",
        "merging does not keep up: faster disk, or fewer policies"
      ),
    ]
    return [Finding(check: "server", found: "answers at \(client.baseURL)")] + openFiles(metrics)
      + counters.compactMap { counter in
        let samples = metrics.samples.filter { $0.name == counter.metric }
        guard !samples.isEmpty else { return nil }
        let sum = samples.reduce(0) { $0 + $1.value }
        return Finding(check: counter.check, found: "\(Int(sum))", advice: sum > 0 ? counter.advice : "")
      }
  }
}
