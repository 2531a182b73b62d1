import Glibc

/// The statements of earlier shells, one a line in a file that only its owner reads.
struct ShellHistory {
  private let path: String?
  private static let countMax = 2_000

  /// `VARVE_HISTORY`, else `~/.varve_history`; an empty one keeps none.
  init(environment: (String) -> String?) {
    if let path = environment("VARVE_HISTORY") {
      self.path = path.isEmpty ? nil : path
    } else {
      path = environment("HOME").map { $0 + "/.varve_history" }
    }
  }

  /// The last statements, oldest first. A file that has grown to twice what is kept is cut.
  func load() throws -> [String] {
    guard let path, unsafe access(path, F_OK) == 0 else { return [] }
    let lines = String(decoding: try readWholeFile(path), as: UTF8.self).split(separator: "\n").map(
      String.init)
    let kept = Array(lines.suffix(Self.countMax))
    if lines.count > 2 * Self.countMax {
      // Written beside and renamed: a shell that ends meanwhile loses its last line, not the file.
      try write(kept, to: path + ".new", O_TRUNC)
      guard unsafe rename(path + ".new", path) == 0 else {
        throw CommandFailure("cannot replace \(path): \(systemErrorText(errno))")
      }
    }
    return kept
  }

  /// Appends one; several shells may do so at once.
  func append(_ statement: String) throws {
    if let path { try write([statement], to: path, O_APPEND) }
  }

  private func write(_ lines: [String], to path: String, _ mode: Int32) throws {
    try writeFile(Array(lines.map { $0 + "\n" }.joined().utf8), to: path, mode: mode, rights: 0o600)
  }
}
