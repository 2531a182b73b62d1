/// Space kept on the disk for edits: where nothing else can be written, deletes and retention go on and make room (DESIGN,
/// sections 5 and 6).
///
/// It is given up in steps, so that what the flusher or the log takes of it meanwhile is never all of it.
final class Reserve: Sendable {
  static let name = "RESERVE"
  static let byteCountDefault: UInt64 = 16 << 20
  /// What one edit is given; lines of the manifest are shorter.
  private static let stepCount: UInt64 = 16

  private struct State {
    var file: (any StoredFile)?
    var byteCount: UInt64 = 0
  }
  private let fileSystem: any FileSystem
  private let byteCountMax: UInt64
  private let state = Lock(State())

  /// - Parameter byteCountMax: 0 keeps none.
  init(fileSystem: any FileSystem, byteCountMax: UInt64) {
    self.fileSystem = fileSystem
    self.byteCountMax = byteCountMax
  }

  /// Bytes that are kept now.
  var byteCount: UInt64 { state.withLock { $0.byteCount } }

  /// Takes what is missing, where the disk has twice that free: what was given up is not taken back from who needed it.
  ///
  /// Asked about once a second. A disk that does not give it is asked again then.
  func refill() {
    state.withLock { state in
      guard state.byteCount < byteCountMax else { return }
      do throws(StorageError) {
        guard try fileSystem.space().free >= 2 * (byteCountMax - state.byteCount) else { return }
        if state.file == nil { state.file = try open() }
        try state.file?.allocate(byteCountMax)
        state.byteCount = byteCountMax
      } catch {
        // What a failed call has taken of it goes back.
        cut(&state, to: state.byteCount)
      }
    }
  }

  /// Takes over what an earlier start left: its length is allocated.
  func adopt() {
    state.withLock { state in
      guard byteCountMax > 0 else { return }
      do throws(StorageError) {
        guard try fileSystem.exists(Self.name) else { return }
        let file = try open()
        (state.file, state.byteCount) = (file, min(try file.byteCount(), byteCountMax))
      } catch {
        // Without it the store starts too; `refill` tries again.
      }
    }
  }

  private func open() throws(StorageError) -> any StoredFile {
    try fileSystem.exists(Self.name) ? fileSystem.openForWriting(Self.name) : fileSystem.create(Self.name)
  }

  /// Gives up a step; `false` where nothing is left.
  func giveUp() -> Bool {
    state.withLock { state in
      if state.byteCount == 0 { return false }
      cut(&state, to: state.byteCount - min(state.byteCount, max(byteCountMax / Self.stepCount, 1)))
      return true
    }
  }

  /// Gives up all of it.
  func giveUpAll() { state.withLock { cut(&$0, to: 0) } }

  private func cut(_ state: inout State, to byteCount: UInt64) {
    state.byteCount = byteCount
    do throws(StorageError) { try state.file?.truncate(to: byteCount) } catch {
      // A file that cannot be cut keeps its space: the next step is tried, and `refill` opens it anew.
      state.file = nil
    }
  }
}
