/// Rows of a block that are encoded together and decode alone, as a decoder meets them.
protocol StoredGroup {
  /// What all groups of a block share, beside prediction and transform.
  associatedtype Shared

  /// Reads what groups share at `offset` and moves past it.
  static func shared(_ bytes: UnsafeRawBufferPointer, at offset: inout Int) throws(CodingError) -> Shared

  /// Reads a header at `offset` and moves past it.
  init(
    decoding bytes: UnsafeRawBufferPointer, at offset: inout Int, _ prediction: Prediction, rowCount: Int
  ) throws(CodingError)

  /// Bytes of the group's body.
  func bodyByteCount(_ rowCount: Int) -> Int

  /// Decodes the group's body of `bodyByteCount(rowCount)` bytes into `rowCount` words at `output`; `lanes`
  /// is scratch for 1,024.
  func decode<Restore: Restoring>(
    _ body: UnsafeRawBufferPointer, _ shared: Shared, _ prediction: Prediction, _ restore: Restore,
    rowCount: Int,
    lanes: UnsafeMutablePointer<UInt64>, into output: UnsafeMutablePointer<UInt64>
  ) throws(CodingError)
}
