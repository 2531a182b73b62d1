import CShims
import LineProtocol

/// Sorts series of a part by their keys, which are not put together more often than must be: of a million series most are told by
/// another's.
@safe struct SeriesSort {
  @safe struct Entry {
    let series: UnsafeMutablePointer<PartSeries>
    let live: LiveSeries
    let rank: UInt32
  }

  /// Bytes of keys that are sorted side by side.
  private static let stretchByteCount = 2 << 20
  /// Series ahead of one that is looked at that are asked for: they lie all over the memory.
  private static let lookAhead = 12

  private(set) var entries: [Entry]

  /// Series that are not sorted.
  init(_ entries: [Entry]) { self.entries = entries }

  /// The ranks of an earlier sort put most in order; stretches of keys are sorted then, and merged where they are not one behind the other.
  mutating func sort() {
    sortByRanks()
    let (starts, isSorted) = sortStretches()
    if !isSorted { merge(starts) }
  }

  /// Notes the places in the order.
  func setRanks() {
    for place in entries.indices {
      prefetch(place)
      entries[place].live.rank = UInt32(truncatingIfNeeded: place)
    }
  }

  @inline(__always) private func prefetch(_ place: Int) {
    if place + Self.lookAhead < entries.count { Self.prefetch(entries[place + Self.lookAhead].live) }
  }

  @inline(__always) private static func prefetch(_ live: LiveSeries) {
    guard let start = unsafe UnsafeRawPointer(bitPattern: live.address) else { return }
    unsafe CShims_prefetch(start)
    unsafe CShims_prefetch(start + 64)
  }

  // MARK: Ranks

  private static let digitBitCount = 11
  /// Fewer are sorted by comparisons.
  private static let radixCountMin = 1_024

  /// Digit by digit from the lowest: as many steps as there are series, whatever their order was.
  private mutating func sortByRanks() {
    if entries.count < Self.radixCountMin {
      entries.sort { $0.rank < $1.rank }
      return
    }
    let highest = entries.reduce(0) { max($0, $1.rank) }
    let digitCount = 1 << Self.digitBitCount
    var other = entries
    for shift in stride(from: UInt32(0), to: 32, by: Self.digitBitCount) where highest >> shift > 0 {
      func digit(_ entry: Entry) -> Int { Int(entry.rank >> shift) & (digitCount - 1) }
      var next = [Int](repeating: 0, count: digitCount)
      for entry in entries { next[digit(entry)] += 1 }
      var sum = 0
      for value in next.indices { (next[value], sum) = (sum, sum + next[value]) }
      for entry in entries {
        other[next[digit(entry)]] = entry
        next[digit(entry)] += 1
      }
      swap(&entries, &other)
    }
  }

  // MARK: Stretches

  /// Where a key of a stretch lies, and its place before it is sorted.
  private struct StretchKey {
    let start: UInt32
    let end: UInt32
    let index: UInt32
  }

  /// Sorts stretches of series by keys that lie whole beside each other. Answers where they begin, and whether each lies behind the one
  /// before.
  private mutating func sortStretches() -> (starts: [Int], isSorted: Bool) {
    var keys = Buffer<UInt8>(capacity: 1 << 16)
    var stretch: [StretchKey] = []
    var (starts, start, isSorted) = ([Int](), 0, true)
    while start < entries.count {
      keys.reset()
      stretch.removeAll(keepingCapacity: true)
      while start + stretch.count < entries.count, keys.count < Self.stretchByteCount {
        let (index, offset) = (start + stretch.count, keys.count)
        prefetch(index)
        entries[index].live.appendKey(to: &keys)
        stretch.append(StretchKey(start: UInt32(offset), end: UInt32(keys.count), index: UInt32(stretch.count)))
      }
      let bytes = unsafe keys.elements
      func isBefore(_ a: StretchKey, _ b: StretchKey) -> Bool {
        unsafe KeyOrder.isBefore(
          UnsafeBufferPointer(rebasing: bytes[Int(a.start)..<Int(a.end)]), UnsafeBufferPointer(rebasing: bytes[Int(b.start)..<Int(b.end)]))
      }
      // Ranks have put most in order: looking costs less than sorting what is sorted.
      if !stretch.indices.dropFirst().allSatisfy({ isBefore(stretch[$0 - 1], stretch[$0]) }) {
        stretch.sort(by: isBefore)
        let unsorted = Array(entries[start..<start + stretch.count])
        for (place, key) in stretch.enumerated() { entries[start + place] = unsorted[Int(key.index)] }
      }
      if start > 0, !Self.isBefore(entries[start - 1].live, entries[start].live) { isSorted = false }
      starts.append(start)
      start += stretch.count
    }
    return (starts, isSorted)
  }

  /// Whether a series comes before another; puts both keys together.
  static func isBefore(_ a: LiveSeries, _ b: LiveSeries) -> Bool {
    unsafe a.withBytes { x in unsafe b.withBytes { y in unsafe KeyOrder.isBefore(x, y) } }
  }

  // MARK: Merging stretches

  /// Merges sorted stretches: each key is put together once.
  private mutating func merge(_ starts: [Int]) {
    var heads = StretchHeads(entries, starts)
    var merged: [Entry] = []
    merged.reserveCapacity(entries.count)
    while let place = heads.next() { merged.append(entries[place]) }
    entries = merged
  }

  /// The series that come next of some sorted stretches, as a tree of losers: in each node the stretch that lost there, in the root the
  /// winner.
  private struct StretchHeads {
    private let entries: [Entry]
    /// The series of each that comes next.
    private var places: [Int]
    private let ends: [Int]
    /// The keys of the series that come next.
    private var keys: [[UInt8]]
    /// A stretch a node; −1, which goes before all, while the tree is made.
    private var nodes: [Int]

    init(_ entries: [Entry], _ starts: [Int]) {
      self.entries = entries
      places = starts
      ends = Array(starts.dropFirst()) + [entries.count]
      keys = Array(repeating: [], count: starts.count)
      nodes = Array(repeating: -1, count: starts.count)
      for stretch in starts.indices {
        load(stretch)
        place(stretch)
      }
    }

    /// The place of the lowest series, which is taken; `nil` at the end.
    mutating func next() -> Int? {
      let winner = nodes[0]
      if places[winner] == ends[winner] { return nil }
      let taken = places[winner]
      places[winner] += 1
      load(winner)
      place(winner)
      return taken
    }

    private mutating func load(_ stretch: Int) {
      if places[stretch] == ends[stretch] { return }
      // Of each stretch some are asked for ahead.
      if places[stretch] + 2 < ends[stretch] { SeriesSort.prefetch(entries[places[stretch] + 2].live) }
      keys[stretch].removeAll(keepingCapacity: true)
      unsafe entries[places[stretch]].live.withBytes { unsafe keys[stretch].append(contentsOf: $0) }
    }

    /// Plays a stretch on its way to the root against those that lost there.
    private mutating func place(_ stretch: Int) {
      var (winner, node) = (stretch, (stretch + nodes.count) / 2)
      while node > 0 {
        if isBefore(nodes[node], winner) { swap(&nodes[node], &winner) }
        node /= 2
      }
      nodes[0] = winner
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
      if a < 0 || b < 0 { return a < 0 }
      if places[a] == ends[a] || places[b] == ends[b] { return places[a] < ends[a] }
      return unsafe keys[a].withUnsafeBufferPointer { x in
        unsafe keys[b].withUnsafeBufferPointer { y in unsafe KeyOrder.isBefore(x, y) }
      }
    }
  }
}
