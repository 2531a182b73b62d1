import Glibc

/// A path from the root on: relative ones begin in the working directory; without a slash at the end.
func absolutePath(_ path: String) throws -> String {
  var path = path
  if !path.hasPrefix("/") {
    guard let text = unsafe getcwd(nil, 0) else {
      throw CommandFailure("cannot tell the working directory: \(systemErrorText(errno))")
    }
    defer { unsafe free(text) }
    let directory = unsafe String(cString: text)
    while path.hasPrefix("./") { path.removeFirst(2) }
    path = path.isEmpty || path == "." ? directory : (directory == "/" ? "/" : directory + "/") + path
  }
  while path.count > 1, path.hasSuffix("/") { path.removeLast() }
  return path
}
