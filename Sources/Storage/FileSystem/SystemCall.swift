import Glibc

/// Makes a system call again while a signal cuts it short; `errno` is read at once. `-1` is failure, as in all of POSIX.
///
/// - Parameters:
///   - operation: what was tried, for the message: "open".
///   - path: what the operator knows; `name`: the same relative to the root.
func systemCall<Value: FixedWidthInteger & SignedInteger>(
  _ operation: StaticString, path: String, name: String, _ body: () -> Value
) throws(StorageError) -> Value {
  while true {
    let value = body()
    if value != -1 { return value }
    let code = errno
    if code != EINTR { throw systemError(code, operation, path: path, name: name) }
  }
}

/// What a failed call means for the caller.
func systemError(_ code: Int32, _ operation: StaticString, path: String, name: String) -> StorageError {
  // Descriptors and buffers are ours alone: going on with a wrong one could write into another file.
  precondition(code != EBADF && code != EFAULT, "\(operation) \(path): \(errorText(code))")
  let kind: StorageError.Code =
    switch code {
    case ENOENT: .notFound
    case EEXIST: .exists
    case ENOSPC, EDQUOT: .full
    default: .io
    }
  return StorageError(kind, file: name, "cannot \(operation) \(path): \(errorText(code))")
}

/// "No space left on device".
func errorText(_ code: Int32) -> String {
  // glibc's strerror is safe from several threads since 2.32; the copy is taken at once.
  unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
