/// Bytes of a file in memory. What was allocated and never written costs nothing: bytes past the stored ones are zeros.
struct MemoryBytes: Sendable {
  private(set) var stored: [UInt8] = []
  private(set) var byteCount = 0

  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    if bytes.count == 0 { return }
    if stored.count < offset { stored.append(contentsOf: repeatElement(0, count: offset - stored.count)) }
    let kept = min(bytes.count, stored.count - offset)
    // Both ranges lie in their buffers: `kept` is at most what either has.
    unsafe stored.withUnsafeMutableBytes { stored in
      if kept > 0 {
        unsafe UnsafeMutableRawBufferPointer(rebasing: stored[offset..<offset + kept])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<kept]))
      }
    }
    unsafe stored.append(contentsOf: bytes[kept...])
    byteCount = max(byteCount, stored.count)
  }

  mutating func truncate(to count: Int) {
    if count < stored.count { stored.removeLast(stored.count - count) }
    byteCount = count
  }

  /// Fills `buffer` from `offset`; the caller has checked that the range lies in the file.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) {
    let kept = max(0, min(buffer.count, stored.count - offset))
    // `kept` bytes from `offset` are stored, and the buffer has room for them.
    unsafe stored.withUnsafeBytes { stored in
      if kept > 0 {
        unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<kept])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: stored[offset..<offset + kept]))
      }
    }
    for index in kept..<buffer.count { unsafe buffer[index] = 0 }
  }
}

/// A file in memory, under one name, several or none; with what a power cut would leave of it, where that is asked for.
final class MemoryContents: Sendable {
  /// A change since the last sync.
  enum Change: Sendable {
    case write([UInt8], at: Int)
    case truncate(Int)
    case allocate(Int)
  }

  private struct State {
    var current: MemoryBytes
    var durable: MemoryBytes
    var unsynced: [Change] = []
  }

  private let state: Lock<State>
  private let isForgetful: Bool

  init(isForgetful: Bool, bytes: MemoryBytes = MemoryBytes()) {
    self.isForgetful = isForgetful
    state = Lock(State(current: bytes, durable: isForgetful ? bytes : MemoryBytes()))
  }

  var byteCount: Int { state.withLock { $0.current.byteCount } }

  var bytes: MemoryBytes { state.withLock { $0.current } }

  /// `nil` and the bytes, or the length where the file is too short.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
    state.withLock { state in
      let byteCount = state.current.byteCount
      guard let start = Int(exactly: offset), start <= byteCount, buffer.count <= byteCount - start else {
        return byteCount
      }
      unsafe state.current.read(at: start, into: buffer)
      return nil
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    state.withLock { state in
      unsafe state.current.write(bytes, at: offset)
      if isForgetful { unsafe state.unsynced.append(.write([UInt8](bytes), at: offset)) }
    }
  }

  func truncate(to count: Int) {
    state.withLock { state in
      state.current.truncate(to: count)
      if isForgetful { state.unsynced.append(.truncate(count)) }
    }
  }

  func allocate(_ count: Int) {
    state.withLock { state in
      if count <= state.current.byteCount { return }
      state.current.truncate(to: count)
      if isForgetful { state.unsynced.append(.allocate(count)) }
    }
  }

  func sync() {
    state.withLock { state in
      for change in state.unsynced { apply(change, to: &state.durable) }
      state.unsynced.removeAll(keepingCapacity: true)
    }
  }

  /// The file as a power cut may leave it.
  func survivor(_ survival: inout Survival) -> MemoryContents {
    let (durable, unsynced) = state.withLock { ($0.durable, $0.unsynced) }
    var left = durable
    for change in survival.choose(from: unsynced) {
      if case .write(let bytes, let offset) = change {
        for part in survival.parts(ofWrite: bytes, at: offset) {
          unsafe bytes[part].withUnsafeBytes { unsafe left.write($0, at: offset + part.lowerBound) }
        }
      } else {
        apply(change, to: &left)
      }
    }
    return MemoryContents(isForgetful: true, bytes: left)
  }

  private func apply(_ change: Change, to bytes: inout MemoryBytes) {
    switch change {
    case .write(let data, let offset): unsafe data.withUnsafeBytes { unsafe bytes.write($0, at: offset) }
    case .truncate(let count): bytes.truncate(to: count)
    case .allocate(let count): bytes.truncate(to: max(count, bytes.byteCount))
    }
  }
}
