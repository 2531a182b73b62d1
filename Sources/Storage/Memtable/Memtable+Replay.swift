import Synchronization

/// The two sides of a replay that goes on.
struct ReplayedNumbers {
  /// The last number of the log as the start found it: what is at or below it is the replay's.
  var through: UInt64
  /// Every batch at or below it is in a part, or needs none.
  var position: UInt64 = 0
}

/// Putting back what the log holds while new batches come.
///
/// Replayed batches have lower numbers than new ones, so they go to parts of their own. Of the new parts none may be flushed before
/// the replay ends: their windows' *flushed through* would move past rows that are yet to be replayed.
extension Memtable {
  /// To be called before any batch comes: numbers at most `sequence` are the replay's, those above it are new.
  package func beginReplay(through sequence: UInt64) {
    state.withLock { state in
      precondition(state.lastSequence <= sequence && state.replay == nil, "a replay begins behind \(state.lastSequence)")
      state.lastSequence = sequence
      state.replay = ReplayedNumbers(through: sequence)
    }
  }

  /// `hold` for a batch that is replayed; in order of their numbers.
  package func holdReplayed(_ keyspace: KeyspaceID, windows: [Range<Int64>], sequence: UInt64, parts: inout [Part]) {
    parts.removeAll(keepingCapacity: true)
    state.withLock { state in
      for window in windows {
        let part = open(keyspace, window: window, sequence: sequence, in: &state)
        part.retain()
        parts.append(part)
      }
      Self.move(&state, to: sequence)
    }
  }

  /// A batch is replayed that had nothing to be put back.
  package func skipReplayed(_ sequence: UInt64) { state.withLock { Self.move(&$0, to: sequence) } }

  private static func move(_ state: inout State, to sequence: UInt64) {
    guard let replay = state.replay, sequence > replay.position, sequence <= replay.through else {
      preconditionFailure("batch \(sequence) is replayed out of order: \(String(describing: state.replay))")
    }
    state.replay?.position = sequence
  }

  /// The log is replayed to its end: new parts may be flushed from now on.
  ///
  /// A replayed part with a new one behind it in its window is sealed, so that it goes to its table first; others stay open for
  /// new batches.
  package func endReplay() {
    let ended = state.withLock { state -> [EndedGeneration] in
      guard let replay = state.replay else { return [] }
      state.replay?.position = replay.through
      var followed: [Part] = []
      for keyspace in state.keyspaces.values {
        for window in keyspace.windows {
          let end = window.end(ofPartsFor: replay.through, boundary: replay.through)
          if end > 0, end < window.parts.count, !window.parts[end - 1].isSealed { followed.append(window.parts[end - 1]) }
        }
      }
      let ended = followed.compactMap { Self.seal($0, in: &state) }
      state.replay = nil
      return ended
    }
    for generation in ended { generation.finish() }
  }

  /// Whether a replay goes on.
  package var isReplaying: Bool { state.withLock { $0.replay != nil } }

  /// Bytes of the parts that a replay which goes on has filled and that are not flushed yet.
  package var replayedByteCount: Int {
    state.withLock { state in
      guard let replay = state.replay else { return 0 }
      var byteCount = 0
      for keyspace in state.keyspaces.values {
        for window in keyspace.windows {
          for part in window.parts where part.firstSequence <= replay.through { byteCount += part.byteCount }
        }
      }
      return byteCount
    }
  }

  /// The parts that may go to tables once they are sealed, in the order of `parts()`: all, or while a replay goes on the replayed.
  package func partsToFlush() -> [Part] {
    state.withLock { state in
      let through = state.replay?.through ?? .max
      return state.keyspaces.sorted { $0.key < $1.key }.flatMap { entry in
        entry.value.windows.flatMap { $0.parts.filter { $0.firstSequence <= through } }
      }
    }
  }
}

extension Memtable.WindowParts {
  /// Where the parts of a number's side of a replay end: before the first new one, or behind all.
  func end(ofPartsFor sequence: UInt64, boundary: UInt64) -> Int {
    sequence > boundary ? parts.count : parts.firstIndex { $0.firstSequence > boundary } ?? parts.count
  }
}
