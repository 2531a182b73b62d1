import CShims
import LineProtocol
import Synchronization

/// A series in a part; lies in the part's arena.
@safe struct PartSeries: ~Copyable {
  /// Held by the part.
  let live: LiveSeries
  /// The newest chunk, by its address; 0 before there is one. Chunks behind it never change their links.
  let newest = Atomic<UInt>(0)

  init(live: LiveSeries) { self.live = live }

  @inline(__always) static func newestChunk(_ series: UnsafeMutablePointer<PartSeries>)
    -> UnsafeMutablePointer<Chunk>?
  {
    unsafe UnsafeMutablePointer(bitPattern: series.pointee.newest.load(ordering: .acquiring))
  }
}

/// The series of a part by the order in which they came, side by side in its arena: 16 bytes each, and none moves.
///
/// Blocks of the arena hold 16 series, then 16, 32 and so on to 1,024, and from there on 1,024 each: a part of one series is small, and
/// one of many wastes little. Changed under the part's lock; whoever has a copy reads the series that it has without one.
@safe struct PartSeriesList: @unchecked Sendable {
  // Unchecked: `live` of a series never changes, `newest` is an atomic.
  private var blocks: [UnsafeMutablePointer<PartSeries>] = unsafe []
  private(set) var count = 0

  private static let firstBlockCount = 16
  private static let blockCountMax = 1_024

  subscript(_ number: Int) -> UnsafeMutablePointer<PartSeries> {
    precondition(number >= 0 && number < count, "series \(number) of \(count)")
    let place = Self.place(of: number)
    return unsafe blocks[place.block] + place.offset
  }

  /// Adds a series and answers its number.
  mutating func append(_ series: consuming PartSeries, in arena: Arena) -> Int {
    let place = Self.place(of: count)
    if unsafe place.block == blocks.count {
      let capacity = min(max(count, Self.firstBlockCount), Self.blockCountMax)
      let memory = unsafe arena.allocate(capacity * MemoryLayout<PartSeries>.stride)
      unsafe blocks.append(memory.bindMemory(to: PartSeries.self, capacity: capacity))
    }
    unsafe (blocks[place.block] + place.offset).initialize(to: series)
    count += 1
    return count - 1
  }

  private static func place(of number: Int) -> (block: Int, offset: Int) {
    if number >= blockCountMax {
      return (number / blockCountMax + largeBlockOffset, number % blockCountMax)
    }
    if number < firstBlockCount { return (0, number) }
    // Block k from 1 on holds the numbers from 16 << (k - 1) to 16 << k.
    let block = (number / firstBlockCount).bitWidth - (number / firstBlockCount).leadingZeroBitCount
    return (block, number - firstBlockCount << (block - 1))
  }

  /// The numbers below 1,024 take 7 blocks, those after them one a 1,024.
  private static let largeBlockOffset = 6
}

/// Numbers of a part's series, found by their live entries.
struct PartSeriesMap {
  private var numbers = TaggedTable<UInt32>()

  /// The number of a live series in `list`; `nil` if it is not there.
  func number(of live: LiveSeries, in list: PartSeriesList) -> Int? {
    numbers.find(Self.hash(live)) { unsafe list[Int($0)].pointee.live.address == live.address }
      .map { Int(numbers[$0]) }
  }

  /// Asks for the memory that a search for a live series, given by its address, looks at first.
  func prefetch(_ address: UInt) {
    guard let live = LiveSeries(address: address) else { return }
    unsafe numbers.visitHome(Self.hash(live)) { unsafe CShims_prefetch($0) }
  }

  /// Asks for the memory that it looks at next, once what was asked for by `prefetch` is there.
  func prefetchSeries(_ address: UInt, in list: PartSeriesList) {
    guard let live = LiveSeries(address: address), let number = numbers.homeWord(Self.hash(live)), number < list.count else { return }
    unsafe CShims_prefetch(list[Int(number)])
  }

  /// Adds the last series of `list`, which is not there.
  mutating func insert(_ live: LiveSeries, in list: PartSeriesList) {
    numbers.insertNext(hash: Self.hash(live)) { Self.hash(unsafe list[Int($0)].pointee.live) }
  }

  /// Bytes of memory taken.
  var byteCount: Int { numbers.byteCount }

  /// Fibonacci hashing of the address: these are ours.
  private static func hash(_ live: LiveSeries) -> UInt32 {
    UInt32(truncatingIfNeeded: (UInt64(live.address) &* 0x9e37_79b9_7f4a_7c15) >> 32)
  }
}
