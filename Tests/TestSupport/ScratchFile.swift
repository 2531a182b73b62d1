import Foundation
import Glibc

/// A file without a name, which is gone with the object: it takes any amount, and no reader holds up who writes.
package final class ScratchFile {
  private let file: UnsafeMutablePointer<FILE>
  package let descriptor: Int32

  /// - Parameter bytes: its content; it is read from the beginning.
  package init(_ bytes: [UInt8] = []) throws {
    guard let file = tmpfile() else {
      throw ChildProcess.Failure(description: "no scratch file: \(String(cString: strerror(errno)))")
    }
    (self.file, descriptor) = (file, fileno(file))
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, written) }
      guard count > 0 else { throw ChildProcess.Failure(description: "scratch file: \(String(cString: strerror(errno)))") }
      written += count
    }
  }

  deinit { fclose(file) }

  /// All that has been written to it so far.
  package func bytes() -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = pread(descriptor, &chunk, chunk.count, bytes.count)
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
  }
}
