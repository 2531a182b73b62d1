import Glibc

/// A directory of the operating system for the length of a test.
package enum TemporaryDirectory {
  /// Gives `body` the path of a new empty directory, removed with all that is in it at the end.
  package static func with<Value>(_ body: (String) throws -> Value) throws -> Value {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/varve-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Failure(code: errno) }
    let path = String(cString: made)
    defer { remove(path) }
    return try body(path)
  }

  struct Failure: Error { var code: Int32 }

  private static func remove(_ path: String) {
    if let stream = opendir(path) {
      while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name != "." && name != ".." { remove("\(path)/\(name)") }
      }
      closedir(stream)
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
