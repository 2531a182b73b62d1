/// Which of the changes that were not synced a power cut leaves.
///
/// A disk may write what was not synced in any order, or not: each change may or may not survive, and of a write any of its
/// 512-byte sectors. `.seed` makes the same choice each time for the same history; with `.choices` every set of whole changes can be
/// gone through (`MemoryFileSystem.survivors`).
package enum Survival: Sendable, Equatable {
  /// Only what was synced.
  case nothing
  /// All of it: as after the process was killed.
  case everything
  /// As the seed decides; each call moves it on.
  case seed(UInt64)
  /// A decision a change, in the order in which they are asked for; past the last one: no. `asked` counts them.
  case choices([Bool], asked: Int)

  static let sectorByteCount = 512

  /// None, all, a first part, or each by the toss of a coin.
  mutating func choose<Change>(from changes: [Change]) -> [Change] {
    switch self {
    case .nothing: return []
    case .everything: return changes
    case .choices: return changes.filter { _ in decide() }
    case .seed:
      switch next() % 4 {
      case 0: return changes
      case 1: return Array(changes.prefix(Int(next() % UInt64(changes.count + 1))))
      default: return changes.filter { _ in next() % 2 == 0 }
      }
    }
  }

  /// The parts of one write's bytes that survive: all, a first part, or some of the sectors of the file.
  mutating func parts(ofWrite bytes: [UInt8], at offset: Int) -> [Range<Int>] {
    guard case .seed = self, !bytes.isEmpty else { return [bytes.indices] }
    switch next() % 4 {
    case 0, 1: return [bytes.indices]
    case 2: return [0..<Int(next() % UInt64(bytes.count + 1))]
    default:
      var parts: [Range<Int>] = []
      var start = 0
      while start < bytes.count {
        let end = min(bytes.count, start + Self.sectorByteCount - (offset + start) % Self.sectorByteCount)
        if next() % 2 == 0 { parts.append(start..<end) }
        start = end
      }
      return parts
    }
  }

  private mutating func decide() -> Bool {
    guard case .choices(let choices, let asked) = self else { return false }
    self = .choices(choices, asked: asked + 1)
    return asked < choices.count && choices[asked]
  }

  /// SplitMix64 (Steele, Lea, Flood 2014); 0 where there is no seed.
  private mutating func next() -> UInt64 {
    guard case .seed(let state) = self else { return 0 }
    let moved = state &+ 0x9e37_79b9_7f4a_7c15
    self = .seed(moved)
    var mixed = (moved ^ (moved >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
