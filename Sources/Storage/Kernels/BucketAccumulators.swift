package import LineProtocol

/// What is to be kept of each bucket; the number of values is always.
package struct Aggregates: OptionSet, Sendable {
  package let rawValue: UInt8

  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let sum = Aggregates(rawValue: 1)
  package static let minimum = Aggregates(rawValue: 2)
  package static let maximum = Aggregates(rawValue: 4)
  package static let first = Aggregates(rawValue: 8)
  package static let last = Aggregates(rawValue: 16)
  /// The earliest times of minimum and maximum; statistics do not know them.
  package static let extremeTimes = Aggregates(rawValue: 32)
}

/// A value and its time.
package struct TimedWord: Sendable, Equatable {
  package var timestamp: Int64
  /// As in `Column.values`; 0 for a string.
  package var word: UInt64

  package init(timestamp: Int64, word: UInt64) {
    self.timestamp = timestamp
    self.word = word
  }
}

/// Count, sum, minimum, maximum, first and last of one column by time bucket, over any number of batches and statistics of any
/// series, in any order. Of one group, or of several whose buckets lie side by side: those of group `g` from `g · bucketing.count` on.
///
/// Exactness: integers are summed in 128 bits, exactly; floats as `CompensatedSum`, rounded once when `sum` is asked. All else is
/// the same to the bit however rows are cut into batches. Of two values at one time `first` and `last` take the higher, and of two
/// equal extremes the earlier, as InfluxDB does. NaN is counted and summed, and is an extreme only where there is nothing else.
/// One thread; `merge` joins those of several.
package struct BucketAccumulators: Sendable {
  package let aggregates: Aggregates
  package let type: FieldType
  package let bucketing: Bucketing
  let order: WordOrder

  /// Groups that there are buckets for; one at first.
  package private(set) var groupCount = 0
  /// Values, a bucket each.
  package internal(set) var counts: [Int] = []
  var floatSums: [CompensatedSum] = []
  var integerSums: [Int128] = []
  var minimums: [TimedWord] = []
  var maximums: [TimedWord] = []
  var firsts: [TimedWord] = []
  var lasts: [TimedWord] = []
  /// Strings of `firsts` and `lasts`.
  var firstStrings: [[UInt8]] = []
  var lastStrings: [[UInt8]] = []
  /// Present values of a column that lacks some.
  var denseTimes: [Int64] = []
  var denseWords: [UInt64] = []
  /// The buckets that the batch under way meets.
  var runs: [Bucketing.Run] = []

  /// - Parameter type: of the column; a string has only count, first and last, a boolean's sum is the number of trues.
  package init(_ aggregates: Aggregates, type: FieldType, bucketing: Bucketing) {
    self.aggregates = type == .string ? aggregates.intersection([.first, .last]) : aggregates
    self.type = type
    self.bucketing = bucketing
    order = WordOrder(type)
    appendGroup()
  }

  /// Makes buckets for one more group.
  package mutating func appendGroup() {
    func extend<Value>(_ values: inout [Value], _ aggregate: Aggregates, _ value: Value) {
      guard aggregates.contains(aggregate) else { return }
      // One bucket a group is the usual case: no sequence of it is made.
      if bucketing.count == 1 { values.append(value) } else { values += repeatElement(value, count: bucketing.count) }
    }
    let none = TimedWord(timestamp: 0, word: 0)
    extend(&counts, [], 0)
    if type == .float { extend(&floatSums, .sum, CompensatedSum()) } else { extend(&integerSums, .sum, 0) }
    extend(&minimums, .minimum, none)
    extend(&maximums, .maximum, none)
    extend(&firsts, .first, none)
    extend(&lasts, .last, none)
    if type == .string {
      extend(&firstStrings, .first, [])
      extend(&lastStrings, .last, [])
    }
    groupCount += 1
  }

  /// The buckets of a group.
  package func buckets(of group: Int) -> Range<Int> { group * bucketing.count..<(group + 1) * bucketing.count }

  // MARK: Answers; of a bucket without values they mean nothing

  /// The sum of floats, rounded; an integer's sum as a float.
  package func sum(_ bucket: Int) -> Double {
    if type == .float { return floatSums[bucket].value }
    let total = integerSums[bucket]
    // The standard library's conversion of 128 bits is generic code of 0.7 µs a call.
    let small = Int64(truncatingIfNeeded: total)
    return Int128(small) == total ? Double(small) : Double(total)
  }
  /// The sum of floats, unrounded.
  package func floatSum(_ bucket: Int) -> CompensatedSum { floatSums[bucket] }
  /// The exact sum of integers, unsigned integers or booleans.
  package func integerSum(_ bucket: Int) -> Int128 { integerSums[bucket] }
  /// The sum divided by the count.
  package func mean(_ bucket: Int) -> Double { sum(bucket) / Double(counts[bucket]) }
  /// The lowest value; its time only with `.extremeTimes`.
  package func minimum(_ bucket: Int) -> TimedWord { minimums[bucket] }
  /// The highest value; its time only with `.extremeTimes`.
  package func maximum(_ bucket: Int) -> TimedWord { maximums[bucket] }
  /// The earliest value.
  package func first(_ bucket: Int) -> TimedWord { firsts[bucket] }
  /// The latest value.
  package func last(_ bucket: Int) -> TimedWord { lasts[bucket] }
  /// The bytes of the earliest string.
  package func firstString(_ bucket: Int) -> [UInt8] { firstStrings[bucket] }
  /// The bytes of the latest string.
  package func lastString(_ bucket: Int) -> [UInt8] { lastStrings[bucket] }

  // MARK: Joining

  /// Takes in what another one of the same kind has gathered of a group, for a group here.
  package mutating func merge(_ other: BucketAccumulators, group: Int = 0, into own: Int = 0) {
    precondition(
      other.bucketing == bucketing && other.type == type && other.aggregates == aggregates,
      "accumulators of two kinds")
    for (theirs, bucket) in zip(other.buckets(of: group), buckets(of: own)) where other.counts[theirs] > 0 {
      if aggregates.contains(.sum) {
        if type == .float {
          floatSums[bucket].add(other.floatSums[theirs])
        } else {
          integerSums[bucket] += other.integerSums[theirs]
        }
      }
      if aggregates.contains(.minimum) { lowerMinimum(other.minimums[theirs], bucket) }
      if aggregates.contains(.maximum) { raiseMaximum(other.maximums[theirs], bucket) }
      if type == .string {
        if aggregates.contains(.first) {
          takeFirst(other.firsts[theirs].timestamp, other.firstStrings[theirs][...], bucket)
        }
        if aggregates.contains(.last) {
          takeLast(other.lasts[theirs].timestamp, other.lastStrings[theirs][...], bucket)
        }
      } else {
        if aggregates.contains(.first) { takeFirst(other.firsts[theirs], bucket) }
        if aggregates.contains(.last) { takeLast(other.lasts[theirs], bucket) }
      }
      counts[bucket] += other.counts[theirs]
    }
  }

  // MARK: One value into a bucket; `counts[bucket]` is raised afterwards

  mutating func lowerMinimum(_ value: TimedWord, _ bucket: Int) {
    order.keepLower(value, in: &minimums[bucket], isFirst: counts[bucket] == 0)
  }

  mutating func raiseMaximum(_ value: TimedWord, _ bucket: Int) {
    order.keepHigher(value, in: &maximums[bucket], isFirst: counts[bucket] == 0)
  }

  mutating func takeFirst(_ value: TimedWord, _ bucket: Int) {
    let held = firsts[bucket]
    if counts[bucket] == 0 || value.timestamp < held.timestamp
      || value.timestamp == held.timestamp && order.precedes(held.word, value.word)
    {
      firsts[bucket] = value
    }
  }

  mutating func takeLast(_ value: TimedWord, _ bucket: Int) {
    let held = lasts[bucket]
    if counts[bucket] == 0 || value.timestamp > held.timestamp
      || value.timestamp == held.timestamp && order.precedes(held.word, value.word)
    {
      lasts[bucket] = value
    }
  }

  mutating func takeFirst(_ timestamp: Int64, _ text: ArraySlice<UInt8>, _ bucket: Int) {
    let held = firsts[bucket].timestamp
    if counts[bucket] == 0 || timestamp < held
      || timestamp == held && firstStrings[bucket].lexicographicallyPrecedes(text)
    {
      firsts[bucket].timestamp = timestamp
      firstStrings[bucket] = Array(text)
    }
  }

  mutating func takeLast(_ timestamp: Int64, _ text: ArraySlice<UInt8>, _ bucket: Int) {
    let held = lasts[bucket].timestamp
    if counts[bucket] == 0 || timestamp > held
      || timestamp == held && lastStrings[bucket].lexicographicallyPrecedes(text)
    {
      lasts[bucket].timestamp = timestamp
      lastStrings[bucket] = Array(text)
    }
  }
}
