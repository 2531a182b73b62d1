import Foundation
package import Storage

/// What a process did to the files under one folder, as `Tests/Preload/diskrecorder.c` wrote it down, played on a disk that forgets
/// what was not synced.
package final class DiskRecording {
  package struct Damage: Error, CustomStringConvertible { package var description: String }

  private struct Event {
    var call: UInt8
    var handle: UInt32
    var offset: UInt64
    /// Where its bytes lie in the recording.
    var bytes: Range<Int>
    var end: Int { bytes.upperBound }
  }
  private static let headByteCount = 21

  private let recording: Data
  private let events: [Event]
  private var next = 0
  private var files: [UInt32: any StoredFile] = [:]
  /// The disk after the events that were played.
  package let disk = MemoryFileSystem(isForgetful: true)

  package init(contentsOf path: String) throws {
    recording = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    var events: [Event] = []
    var place = 0
    // The last record may be cut: the process was killed.
    while place + Self.headByteCount <= recording.count {
      let length = Int(Self.number(recording, at: place + 13, byteCount: 8))
      let start = place + Self.headByteCount
      guard start + length <= recording.count else { break }
      events.append(
        Event(
          call: recording[place], handle: UInt32(Self.number(recording, at: place + 1, byteCount: 4)),
          offset: Self.number(recording, at: place + 5, byteCount: 8), bytes: start..<start + length))
      place = start + length
    }
    self.events = events
  }

  private static func number(_ data: Data, at place: Int, byteCount: Int) -> UInt64 {
    (0..<byteCount).reduce(0) { $0 | UInt64(data[place + $1]) << UInt64(8 * $1) }
  }

  package var eventCount: Int { events.count }

  /// The length of the recording after so many events.
  package func position(after count: Int) -> Int { count == 0 ? 0 : events[count - 1].end }

  /// How many events lie wholly below a length of the recording.
  package func eventCount(below position: Int) -> Int {
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if events[middle].end <= position { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Whether the event at an index is a sync: what comes right before and after one is where mistakes show.
  package func isSync(_ index: Int) -> Bool { events[index].call == UInt8(ascii: "S") || events[index].call == UInt8(ascii: "D") }

  /// Plays events until `count` of them are played; goes forward only.
  package func play(through count: Int) throws {
    while next < count {
      try play(events[next])
      next += 1
    }
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: recording[range], as: UTF8.self) }

  private func play(_ event: Event) throws {
    let path = text(event.bytes)
    switch UnicodeScalar(event.call) {
    case "C": files[event.handle] = try disk.create(path)
    case "O": files[event.handle] = try disk.openForWriting(path)
    case "W": try file(event).write(Array(recording[event.bytes]), at: event.offset)
    case "A": try file(event).allocate(event.offset)
    case "T": try file(event).truncate(to: event.offset)
    case "S": try file(event).sync()
    case "X": files[event.handle] = nil
    case "M": try disk.createDirectory(path)
    case "D": try disk.syncDirectory(path)
    case "U": try disk.remove(path)
    case "V": try disk.removeDirectory(path)
    case "R", "L":
      let middle = event.bytes.lowerBound + Int(event.offset)
      let (from, to) = (text(event.bytes.lowerBound..<middle), text(middle..<event.bytes.upperBound))
      if event.call == UInt8(ascii: "R") { try disk.rename(from, to: to) } else { _ = try disk.link(from, toPath: "/" + to) }
    default: throw Damage(description: "call \(event.call) in the recording")
    }
  }

  private func file(_ event: Event) throws -> any StoredFile {
    guard let file = files[event.handle] else { throw Damage(description: "handle \(event.handle) is not open") }
    return file
  }
}

extension MemoryFileSystem {
  /// Writes all of it into a directory of the operating system.
  package func export(_ folder: String = "", to path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in try list(folder) {
      let inner = folder.isEmpty ? name : "\(folder)/\(name)"
      let target = "\(path)/\(name)"
      if isDirectory(inner) {
        try export(inner, to: target)
      } else {
        let (stored, byteCount) = try contents(inner)
        try Data(stored).write(to: URL(fileURLWithPath: target))
        guard truncate(target, byteCount) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
      }
    }
  }

  private func isDirectory(_ name: String) -> Bool {
    do throws(StorageError) {
      _ = try list(name)
      return true
    } catch {
      return false
    }
  }
}
