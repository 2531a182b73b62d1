/// Encodes blocks of words, and remembers what served the last one.
struct WordEncoder: Sendable {
  /// What the words mean.
  let kind: ColumnKind
  /// What served the last block, the bytes it took (in 1/16 byte a row), and the blocks since it was chosen.
  private var plan: PackedPlan?
  private var sixteenths = 0
  private var age = 0
  /// Blocks after which a plan is chosen anew although it serves.
  private static let ageMax = 32
  /// Blocks that a plan serves and ranges are not tried for: four times as many each time they were of no
  /// use.
  private var rangelessBlockCount = 0
  private var rangelessBlockCountNext = 0
  private static let rangelessBlockCountMax = 64
  /// Whether ranges are tried at all.
  private let hasRanges: Bool

  init(kind: ColumnKind, hasRanges: Bool = false) {
    self.kind = kind
    self.hasRanges = hasRanges
  }

  /// Appends the encoded words to `output`: at most 8 bytes a word and 12 more.
  mutating func encode(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    guard let first = unsafe words.first else { return output.append(Encoding.plain.rawValue) }
    let step = unsafe words.count > 1 ? words[1] &- first : 0
    if unsafe Self.isProgression(words, step: step) {
      Self.encodeProgression(first: first, step: step, isFloat: kind == .float, into: &output)
    } else if kind == .boolean, unsafe Bitmap.encodeWords(words, into: &output) {
      return
    } else {
      let start = output.count
      unsafe encodePacked(words, into: &output)
      if output.count - start > words.count * 8 + 1 {
        output.removeLast(output.count - start)
        unsafe Self.encodePlain(words, into: &output)
      }
    }
  }

  private static func isProgression(_ words: UnsafeBufferPointer<UInt64>, step: UInt64) -> Bool {
    var row = 2
    while row < words.count {
      // Rows row − 1 and row are below the count.
      if unsafe words[row] &- words[row &- 1] != step { return false }
      row &+= 1
    }
    return true
  }

  private static func encodeProgression(
    first: UInt64, step: UInt64, isFloat: Bool, into output: inout [UInt8]
  ) {
    if isFloat && step == 0 {
      output.append(Encoding.constant.rawValue)
      appendLittleEndian(first, to: &output)
    } else {
      output.append(Encoding.progression.rawValue)
      appendVarint(zigzag(Int64(bitPattern: first)), to: &output)
      appendVarint(zigzag(Int64(bitPattern: step)), to: &output)
    }
  }

  private static func encodePlain(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    output.append(Encoding.plain.rawValue)
    for index in words.indices { unsafe appendLittleEndian(words[index], to: &output) }
  }

  /// Packs by the last block's plan where that still serves, else by a new one.
  private mutating func encodePacked(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    let start = output.count
    func sixteenthsTaken() -> Int { (output.count - start) * 16 / words.count }
    let last = plan
    var isDone = false
    if let plan, age < Self.ageMax {
      isDone = unsafe plan.encode(words, into: &output)
      if isDone && sixteenthsTaken() <= sixteenths + sixteenths / 8 + 1 {
        age += 1
        if plan.isInRanges { return }
        rangelessBlockCount -= 1
        if rangelessBlockCount < 0,
          let better = unsafe replaceByRanges(words, from: start, in: &output, of: plan)
        {
          (self.plan, sixteenths, age) = (better, sixteenthsTaken(), 0)
        }
        return
      }
    }
    var next = unsafe PackedPlan(for: words, kind: kind, decimalSampleCount: 32)
    if !isDone || next != last {
      output.removeLast(output.count - start)
      if unsafe !next.encode(words, into: &output) {
        // The sample was too kind to the decimals: look at more of them, then do without.
        unsafe next = PackedPlan(for: words, kind: kind, decimalSampleCount: 256)
        if unsafe !next.encode(words, into: &output) {
          unsafe next = PackedPlan(for: words, kind: kind, decimalSampleCount: 0)
          // Without decimals a plan takes any words.
          let isPacked = unsafe next.encode(words, into: &output)
          precondition(isPacked, "a plan without decimals refused \(words.count) words")
        }
      }
    }
    if let better = unsafe replaceByRanges(words, from: start, in: &output, of: next) { next = better }
    (plan, sixteenths, age) = (next, sixteenthsTaken(), 0)
  }

  /// Puts a block in ranges in place of the packed one from `start`, and gives its plan; nil, and nothing is
  /// changed, where it is not worth the time to read it.
  private mutating func replaceByRanges(
    _ words: UnsafeBufferPointer<UInt64>, from start: Int, in output: inout [UInt8], of packed: PackedPlan
  ) -> PackedPlan? {
    // What takes next to nothing cannot save as much.
    guard hasRanges, words.count >= PackedPlan.rangeRowCountMin,
      PackedPlan.isWorthRanges(0, insteadOf: output.count - start, rowCount: words.count)
    else { return nil }
    var block: [UInt8] = []
    guard let plan = unsafe packed.withRanges(words, insteadOf: output.count - start),
      unsafe plan.encode(words, into: &block),
      PackedPlan.isWorthRanges(
        block.count, insteadOf: Self.compressedByteCount(output, from: start), rowCount: words.count)
    else {
      rangelessBlockCount = rangelessBlockCountNext
      rangelessBlockCountNext = min(4 * rangelessBlockCountNext + 2, Self.rangelessBlockCountMax)
      return nil
    }
    rangelessBlockCountNext = 0
    output.replaceSubrange(start..., with: block)
    return plan
  }

  /// Bytes of the block from `start` under Snappy: packed words may repeat themselves, which ranges hide.
  private static func compressedByteCount(_ output: [UInt8], from start: Int) -> Int {
    var compressed: [UInt8] = []
    let isShorter = unsafe output.withUnsafeBytes {
      unsafe Snappy.compress(UnsafeRawBufferPointer(rebasing: $0[start...]), into: &compressed)
    }
    return isShorter ? compressed.count : output.count - start
  }
}
