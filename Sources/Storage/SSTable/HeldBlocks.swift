import CShims

/// For threads that must not wait for a disk.
package enum HeldBlocks {
  /// Runs `body`; what it reads from tables on this thread comes from the block cache, else it fails with `StorageError.Code.cancelled`.
  package static func only<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    CShims_setMayNotWait(1)
    defer { CShims_setMayNotWait(0) }
    return try body()
  }

  static var areAlone: Bool { CShims_mayNotWait() != 0 }
}
