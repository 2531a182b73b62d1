import FoundationEssentials
package import Testing

extension Tag {
  /// Takes longer than a few seconds; runs with `deploy/test --all`.
  @Tag package static var slow: Tag
  /// Random input against a dull model; the seed is an argument.
  @Tag package static var property: Tag
  /// Stops after every call and opens again.
  @Tag package static var crash: Tag
}

/// Whether slow tests run: `VARVE_SLOW_TESTS=1`, as `deploy/test --all` sets it. Use as `.enabled(if: runsSlowTests)`
/// beside `.tags(.slow)`.
package let runsSlowTests = ProcessInfo.processInfo.environment["VARVE_SLOW_TESTS"] == "1"

/// The folder of conformance cases, data sets and captures that lies outside the package: `VARVE_SHARED`, or a folder
/// `shared` beside the package; `nil` where there is none, and tests that need it say that they are skipped.
package let sharedFolder: String? = {
  let given = ProcessInfo.processInfo.environment["VARVE_SHARED"]
  let beside = packageRoot.split(separator: "/").dropLast().joined(separator: "/")
  let candidates = [given, "/" + beside + "/shared", "/" + beside.split(separator: "/").dropLast().joined(separator: "/") + "/shared"]
  return candidates.compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0 + "/conformance") }
}()

/// The package's folder, found from this file's place.
package let packageRoot: String = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
