/// Finds the ranges that tell a block's integers in the fewest bits.
///
/// A sample's numbers cut the line into cells; all integers are counted in these, with the least and the
/// greatest of each; neighbouring cells are then joined wherever that takes fewer bits, table included.
struct RangeFit {
  /// Integers that are looked at for where to cut.
  private static let sampleCount = 1024
  /// Cells that are searched: a power of two for a search without branches.
  private static let slotCount = 256
  /// Bits that a range takes in the table, about.
  private static let tableBitCount: Float = 26

  /// The ranges; empty where a range would be too wide.
  private(set) var table = RangeTable()
  /// Bits that the table and all integers take, about.
  private(set) var bitCount = Int.max
  /// By cell, its range.
  private var ranges = [UInt8](repeating: 0, count: slotCount)
  /// By cell, its least possible number; beyond the cells there are, the greatest of all numbers.
  private var bounds: [Int64]
  private var counts = [Int](repeating: 0, count: slotCount)
  private var lows = [Int64](repeating: .max, count: slotCount)
  private var highs = [Int64](repeating: .min, count: slotCount)

  /// Fits ranges to `count` words (one or more), and leaves the range of each in `places`.
  init(_ words: UnsafePointer<UInt64>, count: Int, places: UnsafeMutablePointer<UInt8>) {
    bounds = unsafe Self.cut(words, count: count)
    unsafe countCells(words, count: count, places: places)
    join(count: count)
    for row in 0..<count { unsafe places[row] = ranges[Int(places[row])] }
  }

  /// About how many bits each of a sample takes in ranges, which it sorts: numbers that occur often are
  /// ranges of their own; of others, eight neighbours are one.
  ///
  /// A cheap look, to be borne out by a fit.
  static func bitsEach(of sample: inout [Int64]) -> Float {
    sample.sort()
    var bits: Float = 0
    func add(_ rows: Range<Int>) {
      // A few of a range leave a bit of it free on both sides.
      let share = Float(rows.count) / Float(max(1, rows.count - 1))
      let span = Float(UInt64(bitPattern: sample[rows.upperBound - 1] &- sample[rows.lowerBound])) * share
      bits +=
        Float(rows.count)
        * (logarithm(Float(sample.count)) - logarithm(Float(rows.count)) + logarithm(span + 1))
    }
    var (first, next) = (0, 0)
    while next < sample.count {
      let value = sample[next]
      let start = next
      while next < sample.count, sample[next] == value { next += 1 }
      if next - start >= 8 {
        if first < start { add(first..<start) }
        add(start..<next)
        first = next
      } else if next - first >= 8 {
        add(first..<next)
        first = next
      }
    }
    if first < next { add(first..<next) }
    return bits / Float(max(1, sample.count))
  }

  /// Bounds of cells: below the first number of a sample, at it, and after numbers that end a cell.
  ///
  /// Up to 96 numbers end a cell each; else a cell has about a 64th of the sample. A number that is frequent,
  /// a 64th, is a cell of its own. So there are 226 cells at most.
  private static func cut(_ words: UnsafePointer<UInt64>, count: Int) -> [Int64] {
    let sampleCount = min(count, sampleCount)
    // Below `count`.
    var sample = (0..<sampleCount).map { Int64(bitPattern: unsafe words[$0 * count / sampleCount]) }
    sample.sort()
    var distinctCount = 1
    for index in 1..<max(1, sampleCount) where sample[index] != sample[index - 1] { distinctCount += 1 }
    let frequent = max(2, sampleCount / 64)
    let cellSize = distinctCount <= 96 ? 1 : frequent
    var bounds: [Int64] = [.min]
    if sample[0] > .min { bounds.append(sample[0]) }
    var (index, held) = (0, 0)
    while index < sampleCount {
      var next = index + 1
      while next < sampleCount, sample[next] == sample[index] { next += 1 }
      let value = sample[index]
      if next - index >= frequent, value > bounds[bounds.count - 1] { bounds.append(value) }
      held += next - index
      if held >= cellSize, value < .max {
        bounds.append(value + 1)
        held = 0
      }
      index = next
    }
    return bounds + [Int64](repeating: .max, count: max(0, slotCount - bounds.count))
  }

  /// Finds the cell of each word, and counts.
  private mutating func countCells(
    _ words: UnsafePointer<UInt64>, count: Int, places: UnsafeMutablePointer<UInt8>
  ) {
    // All pointers are of arrays of 256, and a cell is below that: seven halvings and one add up to 255.
    unsafe bounds.withUnsafeBufferPointer { bounds in
      for row in 0..<count {
        let word = Int64(bitPattern: unsafe words[row])
        var cell = 0
        var half = Self.slotCount / 2
        while half > 0 {
          cell &+= unsafe bounds[cell &+ half] <= word ? half : 0
          half &>>= 1
        }
        unsafe places[row] = UInt8(truncatingIfNeeded: cell)
      }
    }
    for row in 0..<count {
      let word = Int64(bitPattern: unsafe words[row])
      let cell = Int(unsafe places[row])
      counts[cell] &+= 1
      lows[cell] = min(lows[cell], word)
      highs[cell] = max(highs[cell], word)
    }
  }

  /// Joins cells to ranges: for each cell the cheapest way to have all up to it in ranges.
  private mutating func join(count: Int) {
    let cells = counts.indices.filter { counts[$0] > 0 }
    var sums = [0]
    for cell in cells { sums.append(sums[sums.count - 1] + counts[cell]) }
    var costs: [Float] = [0]
    var firsts: [Int] = [0]
    for last in cells.indices {
      var best = (cost: Float.infinity, first: last)
      for first in 0...last {
        let cost =
          costs[first]
          + Self.bits(sums[last + 1] - sums[first], of: count, lows[cells[first]], highs[cells[last]])
        if cost < best.cost { best = (cost, first) }
      }
      costs.append(best.cost)
      firsts.append(best.first)
    }
    guard let cost = costs.last, cost.isFinite else { return }
    bitCount = Int(cost)
    var found: [Range<Int>] = []
    var end = cells.count
    while end > 0 {
      found.append(firsts[end]..<end)
      end = firsts[end]
    }
    found.reverse()
    let shares = Self.shares(found.map { sums[$0.upperBound] - sums[$0.lowerBound] }, of: count)
    for (index, range) in found.enumerated() {
      let (low, high) = (lows[cells[range.lowerBound]], highs[cells[range.upperBound - 1]])
      table.append(
        lower: UInt64(bitPattern: low), width: UInt8(Self.width(low, high)), share: shares[index])
      for cell in range { ranges[cells[cell]] = UInt8(index) }
    }
  }

  /// Bits of a place between two numbers.
  private static func width(_ low: Int64, _ high: Int64) -> Int {
    64 - UInt64(bitPattern: high &- low).leadingZeroBitCount
  }

  /// Bits of `part` of `count` integers that lie from `low` to `high`, and of their range.
  private static func bits(_ part: Int, of count: Int, _ low: Int64, _ high: Int64) -> Float {
    let width = width(low, high)
    guard width <= RangeTable.widthMax else { return .infinity }
    return Float(part) * (logarithm(Float(count)) - logarithm(Float(part)) + Float(width)) + tableBitCount
  }

  /// To base 2, to a hundredth: the exponent, and a parabola through 1, √2 and 2.
  private static func logarithm(_ value: Float) -> Float {
    let fraction = Float(bitPattern: value.bitPattern & 0x7f_ffff | 0x3f80_0000) - 1
    return Float(Int32(truncatingIfNeeded: value.bitPattern &>> 23) &- 127) + fraction + 0.346 * fraction
      * (1 - fraction)
  }

  /// Parts of 1,024 that are about those of `counts`, none of them 0.
  private static func shares(_ counts: [Int], of count: Int) -> [UInt16] {
    var shares = counts.map { max(1, ($0 * RangeTable.shareSum + count / 2) / count) }
    var rest = RangeTable.shareSum - shares.reduce(0, +)
    // What rounding left over is taken from, or given to, the greatest, a part at a time: few, and there it
    // weighs least.
    while rest != 0 {
      var greatest = 0
      for index in shares.indices where shares[index] > shares[greatest] { greatest = index }
      shares[greatest] += rest.signum()
      rest -= rest.signum()
    }
    return shares.map { UInt16($0) }
  }
}
