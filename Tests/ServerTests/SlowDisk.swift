import Foundation
import TestSupport

/// `Tests/Preload/slowdisk.c` as a library that a server is started with, and the file that says how slow its disk is.
struct SlowDisk {
  let environment: [String: String]
  private let file: String

  /// Builds the library in a folder; the disk is as fast as it is.
  init(in directory: String) throws {
    let library = try PreloadLibrary.build("slowdisk", into: directory)
    file = directory + "/slowdisk"
    environment = ["LD_PRELOAD": library, "SLOWDISK_FILE": file]
    try set(syncMicroseconds: 0, bytesPerSecond: 0)
  }

  /// Says how slow the disk is from now on; 0: as fast as it is.
  func set(syncMicroseconds: Int, bytesPerSecond: Int) throws {
    try Data("\(syncMicroseconds) \(bytesPerSecond)\n".utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
  }
}

extension ServerProcess {
  /// The most resident bytes so far, as the kernel counts them.
  func peakResidentByteCount() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)
    for line in status.split(separator: "\n") where line.hasPrefix("VmHWM:") {
      if let value = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) }) {
        return value << 10
      }
    }
    throw AskingFailure(description: "no VmHWM in \(status)")
  }
}
