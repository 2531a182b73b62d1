import Foundation

/// A library of `Tests/Preload`, built for `LD_PRELOAD` with the compiler that is there.
package enum PreloadLibrary {
  /// A C compiler; `nil` where there is none, and tests that need one say that they are skipped.
  package static let compiler: String? = ["cc", "gcc", "clang"].lazy.compactMap { name in
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }.first

  package struct BuildFailure: Error, CustomStringConvertible { package var description: String }

  /// Builds `Tests/Preload/<name>.c` into a directory; the path of the library.
  package static func build(_ name: String, into directory: String) throws -> String {
    guard let compiler else { throw BuildFailure(description: "there is no C compiler") }
    let library = "\(directory)/\(name).so"
    let build = try ChildProcess.run([
      compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
      "\(packageRoot)/Tests/Preload/\(name).c", "-ldl", "-lpthread",
    ])
    guard build.status == 0 else {
      throw BuildFailure(description: "\(compiler) \(name).c ended with \(build.status): \(build.words)")
    }
    return library
  }
}
