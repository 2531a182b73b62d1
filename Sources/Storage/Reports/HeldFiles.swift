/// Names a window as its files do: their folder and what stands before the table's number.
struct WindowFileName: Hashable, Comparable {
  var keyspace: KeyspaceID
  /// `20261120T000000Z`.
  var name: String

  init(keyspace: KeyspaceID, start: Int64) {
    let file = tableFileName(keyspace: keyspace, windowStart: start, number: 0)
    self.keyspace = keyspace
    name = Self.stamp(file)
  }

  /// Of `tables/0000003/20261120T000000Z-0000000042.sst`; `nil` for other names.
  init?(file: String) {
    let parts = file.split(separator: "/")
    guard parts.count == 3, let number = UInt32(parts[1]) else { return nil }
    keyspace = KeyspaceID(number)
    name = Self.stamp(file)
  }

  private static func stamp(_ file: String) -> String {
    let last = file.split(separator: "/").last ?? ""
    return String(last[..<(last.lastIndex(of: "-") ?? last.endIndex)])
  }

  static func < (a: Self, b: Self) -> Bool { (a.keyspace, a.name) < (b.keyspace, b.name) }
}

/// Files that no version in force names and that snapshots, or merges under way, still read: by window.
struct HeldFiles {
  struct Files {
    var count = 0
    var byteCount: UInt64 = 0
  }
  private var files: [WindowFileName: Files] = [:]
  private let snapshotAge: Int64

  /// - Parameter snapshotAge: of the oldest snapshot, nanoseconds; 0 where none is held.
  init(_ names: [String: UInt64], snapshotAge: Int64) {
    self.snapshotAge = snapshotAge
    for (name, byteCount) in names {
      guard let window = WindowFileName(file: name) else { continue }
      files[window, default: Files()].count += 1
      files[window, default: Files()].byteCount += byteCount
    }
  }

  /// Those of a window; they are then no more among the rest.
  mutating func take(keyspace: KeyspaceID, start: Int64) -> Files? {
    files.removeValue(forKey: WindowFileName(keyspace: keyspace, start: start))
  }

  /// Those that were not taken, in order.
  var rest: [(window: WindowFileName, files: Files)] {
    files.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  func words(_ files: Files) -> String { Self.words(files, snapshotAge: snapshotAge) }

  /// "2 replaced files of 12 MiB are held by a snapshot of 42s".
  static func words(_ files: Files, snapshotAge: Int64) -> String {
    let holder = snapshotAge > 0 ? "snapshots, the oldest of \(spanText(snapshotAge))" : "a merge under way"
    let noun = files.count == 1 ? "1 file that is gone from the manifest, of" : "\(files.count) files that are gone from the manifest, of"
    return "\(noun) \(sizeText(files.byteCount)), still read by \(holder)"
  }
}
