import FoundationEssentials

/// The folder of what was found damaged: set aside there, never deleted.
///
/// A file gets a second name there first, or is copied where no link can be made, and goes from its place when the manifest no longer
/// names it, so that a repair that is cut short finds it where it was. A link keeps what the disk refuses to read, too, for who can
/// read more of it, and bad sectors from being used again.
struct Quarantine {
  static let directory = "quarantine"

  let fileSystem: any FileSystem

  /// `tables/0000003/x.sst` is set aside as `quarantine/0000003-x.sst`.
  static func name(of file: String) -> String {
    let parts = file.split(separator: "/")
    return directory + "/" + (parts.count > 2 ? parts.dropFirst() : parts[...]).joined(separator: "-")
  }

  /// Keeps a file; returns where it is.
  func copy(_ file: String) throws(StorageError) -> String {
    let (target, isThere) = try place(of: file, fileSystem.open(file))
    if isThere { return target }
    _ = try fileSystem.transfer(file, to: fileSystem, as: target)
    try fileSystem.syncDirectory(Self.directory)
    return target
  }

  /// Writes what was lost down beside what is set aside, before the step that makes it so.
  func save(_ report: RepairReport, as name: String) throws(StorageError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let bytes: [UInt8]
    do {
      bytes = Array(try encoder.encode(report)) + [UInt8(ascii: "\n")]
    } catch {
      throw StorageError(.invalid, file: name, "cannot write as JSON: \(error)")
    }
    try fileSystem.createDirectory(Self.directory)
    try fileSystem.syncDirectory("")
    try fileSystem.replace(name, with: bytes)
  }

  /// The first name for a report that no earlier one has.
  func reportName() throws(StorageError) -> String {
    var number: UInt64 = 1
    while try fileSystem.exists("\(Self.directory)/report-\(number).json") { number += 1 }
    return "\(Self.directory)/report-\(number).json"
  }

  /// A name that is not taken, or that the same bytes have already: a manifest or a segment may be damaged twice.
  private func place(
    of file: String, _ source: any StoredFile
  ) throws(StorageError) -> (name: String, isThere: Bool) {
    try fileSystem.createDirectory(Self.directory)
    try fileSystem.syncDirectory("")
    let base = Self.name(of: file)
    var (name, count) = (base, 0)
    while try fileSystem.exists(name) {
      if try isSame(try fileSystem.open(name), source) { return (name, true) }
      count += 1
      name = "\(base).\(count)"
    }
    return (name, false)
  }

  private func isSame(_ a: any StoredFile, _ b: any StoredFile) throws(StorageError) -> Bool {
    let byteCount = try a.byteCount()
    guard try b.byteCount() == byteCount else { return false }
    var offset: UInt64 = 0
    while offset < byteCount {
      let count = Int(min(1 << 20, byteCount - offset))
      guard try readBytes(of: a, at: offset, count: count) == readBytes(of: b, at: offset, count: count)
      else { return false }
      offset += UInt64(count)
    }
    return true
  }
}
