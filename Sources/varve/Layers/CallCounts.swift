/// What a process asked of the allocator and of the kernel, or the difference of two such counts.
struct CallCounts {
  var allocations = 0
  var systemCalls = 0

  static func - (after: CallCounts, before: CallCounts) -> CallCounts {
    CallCounts(
      allocations: after.allocations - before.allocations, systemCalls: after.systemCalls - before.systemCalls
    )
  }

  static func += (sum: inout CallCounts, more: CallCounts) {
    sum.allocations += more.allocations
    sum.systemCalls += more.systemCalls
  }

  /// Cells of a report: how many there were for each thousand of `count`.
  static func cells(_ counts: CallCounts?, of count: Int) -> [Report.Value] {
    guard let counts else { return [.none, .none] }
    return [counts.allocations, counts.systemCalls].map { number in
      .number((Double(number) * 1e6 / Double(max(count, 1))).rounded() / 1e3)
    }
  }
}

/// The counts of a process into which `Tests/Preload/callcounter.c` is loaded: it keeps them in a file.
final class CallCounter {
  private let file: ByteSource

  /// - Parameter path: what the process has in `VARVE_CALL_COUNTS`.
  init(file path: String) throws {
    file = try ByteSource(file: path, isShared: true)
    guard file.byteCount >= 16 else { throw CommandFailure("\(path) holds no counts of calls") }
  }

  /// The counts of now.
  @inline(never) func read() -> CallCounts {
    // Both lie within the bytes: checked at the start.
    unsafe CallCounts(
      allocations: Int(file.bytes.load(as: UInt64.self)),
      systemCalls: Int(file.bytes.load(fromByteOffset: 8, as: UInt64.self)))
  }
}
