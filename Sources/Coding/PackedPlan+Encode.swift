extension PackedPlan {
  /// Words of scratch: values, what prediction leaves of them, and what `PackedGroup` needs.
  static let scratchWordCount = 2 * groupRowCount + PackedGroup.scratchWordCount

  /// Appends a block, packed or in ranges, of `words` (one or more) to `output`.
  ///
  /// Returns false, and appends nothing, where the words are not what the plan's transform takes: not all
  /// multiples of the unit, too many that are no decimals, or decimals of fewer places.
  func encode(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) -> Bool {
    if code == .decimal, unsafe DecimalDetection.exponent(of: words, sampleCount: 16) ?? -1 < exponent {
      return false
    }
    if isInRanges { return unsafe encodeRanges(words, into: &output) }
    let start = output.count
    output.append(Encoding.packed.rawValue)
    output.append(prediction.rawValue | code.rawValue << 2)
    var source = unsafe TransformedGroups(words, self)
    var headers: [UInt8] = []
    headers.reserveCapacity(256)
    let isWhole = unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.scratchWordCount) {
      scratch in
      guard let scratch = scratch.baseAddress else { return false }
      return unsafe encodeGroups(of: &source, scratch, headers: &headers, into: &output)
    }
    guard isWhole else {
      output.removeLast(output.count - start)
      return false
    }
    output[start + 1] = prediction.rawValue | source.code.rawValue << 2
    var head: [UInt8] = []
    source.encodeParameters(into: &head)
    head += headers
    output.insert(contentsOf: head, at: start + 2)
    return true
  }

  private func encodeGroups(
    of source: inout TransformedGroups, _ scratch: UnsafeMutablePointer<UInt64>, headers: inout [UInt8],
    into output: inout [UInt8]
  ) -> Bool {
    let words = unsafe scratch + groupRowCount
    var before: Predecessor?
    for first in stride(from: 0, to: source.count, by: groupRowCount) {
      let rowCount = min(groupRowCount, source.count - first)
      guard
        let (start, step) = unsafe predict(
          &source, from: first, rowCount: rowCount, after: &before, scratch: scratch, into: words)
      else { return false }
      var group = unsafe PackedGroup(fitting: words, rowCount: rowCount, scratch: words + groupRowCount)
      (group.start, group.step) = (start, step)
      if prediction == .line { (group.start, group.base) = (start &+ group.base, 0) }
      group.encode(prediction, into: &headers)
      unsafe group.encodeBody(words, rowCount: rowCount, scratch: words + groupRowCount, into: &output)
    }
    return true
  }

  /// Writes what prediction leaves of the group from row `first` to `words`, and gives where the group
  /// begins; nil where its words are not of the transform.
  func predict(
    _ source: inout TransformedGroups, from first: Int, rowCount: Int, after before: inout Predecessor?,
    scratch: UnsafeMutablePointer<UInt64>, into words: UnsafeMutablePointer<UInt64>
  ) -> (start: UInt64, step: UInt64)? {
    guard let values = unsafe source.values(from: first, count: rowCount, scratch: scratch) else {
      return nil
    }
    let predecessor = unsafe before ?? Predecessor(of: values, count: rowCount)
    before = unsafe Predecessor(after: values, count: rowCount, of: predecessor)
    return unsafe prediction.apply(
      values, count: rowCount, after: predecessor, slope: slope, into: words)
  }
}

/// The words of a block, turned into the integers of a plan's transform a group at a time.
///
/// It is made and dropped within one call that holds the words, and gives out no pointer to them that
/// outlives it.
@safe
struct TransformedGroups {
  private let words: UnsafeBufferPointer<UInt64>
  private let plan: PackedPlan
  private let unit: CommonUnit
  private let power: Double
  /// Of `.decimal`.
  private(set) var corrections: Corrections
  private var last: UInt64 = 0

  init(_ words: UnsafeBufferPointer<UInt64>, _ plan: PackedPlan) {
    unsafe self.words = unsafe words
    self.plan = plan
    unit = CommonUnit(plan.unit)
    power = RestoreDecimal.power(plan.exponent)
    corrections = Corrections(count: words.count)
  }

  /// The plan's transform as it is written.
  var code: TransformCode { plan.code == .decimal && corrections.hasUnits ? .nearDecimal : plan.code }

  var count: Int { unsafe words.count }

  /// The first word: where `.scaled` begins.
  private var origin: UInt64 { unsafe words[0] }

  /// The integers of `count` rows from `first`: in `scratch`, or the words themselves; nil where they are not
  /// of the transform.
  mutating func values(
    from first: Int, count: Int, scratch: UnsafeMutablePointer<UInt64>
  ) -> UnsafePointer<UInt64>? {
    guard let start = unsafe words.baseAddress else { return nil }
    let source = unsafe start + first
    switch plan.code {
    case .identity: return unsafe source
    case .rotated:
      for row in 0..<count { unsafe scratch[row] = unsafe source[row] &<< 1 | source[row] &>> 63 }
    case .scaled:
      guard unsafe unit.divide(source, count: count, origin: origin, into: scratch) else { return nil }
    case .decimal, .nearDecimal:
      guard
        unsafe DecimalDetection.convert(
          source, count: count, power: power, firstRow: first, previous: last, into: scratch, &corrections)
      else { return nil }
      last = unsafe scratch[count - 1]
    }
    return unsafe UnsafePointer(scratch)
  }

  /// Appends what the decoder needs to know of the transform.
  func encodeParameters(into output: inout [UInt8]) {
    switch plan.code {
    case .identity, .rotated: break
    case .scaled:
      appendVarint(plan.unit, to: &output)
      appendVarint(zigzag(Int64(bitPattern: origin)), to: &output)
    case .decimal, .nearDecimal:
      output.append(UInt8(plan.exponent))
      corrections.encode(into: &output)
    }
  }
}
