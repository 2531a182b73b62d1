/// A stretch of groups in the order of the answer: those that one pass over the rows gathers.
final class GroupChoice {
  let isDescending: Bool
  private let tagKeys: [[UInt8]]
  /// Where it begins; `nil`: with the first group.
  private var start: (values: [[UInt8]], isIncluded: Bool)?
  /// The first group that is not in it; `nil`: it has all others.
  private(set) var end: [[UInt8]]?
  /// `end` is a group that alone has more rows than may be held.
  private(set) var isEndAlone = false

  init(tagKeys: [[UInt8]], isDescending: Bool) {
    self.tagKeys = tagKeys
    self.isDescending = isDescending
  }

  /// Only one group.
  init(tagKeys: [[UInt8]], only values: [[UInt8]]) {
    self.tagKeys = tagKeys
    isDescending = false
    start = (values, true)
    // The next value after it in the order of bytes.
    end = values.dropLast() + [(values.last ?? []) + [0]]
  }

  /// Ends it before a group that it has so far.
  func end(before values: [[UInt8]], isAlone: Bool) {
    end = values
    isEndAlone = isAlone
  }

  /// Whether there may be groups that were in no stretch yet.
  private(set) var hasMore = true

  /// Goes on to the groups behind it.
  func advance() {
    hasMore = end != nil
    start = end.map { ($0, !isEndAlone) }
    end = nil
    isEndAlone = false
  }

  func includes(_ tags: SeriesTags) -> Bool {
    if let start {
      let order = order(tags, start.values)
      if order < 0 || order == 0 && !start.isIncluded { return false }
    }
    if let end, order(tags, end) >= 0 { return false }
    return true
  }

  /// Below 0 where the group of a series comes before another one, 0 where it is that.
  private func order(_ tags: SeriesTags, _ values: [[UInt8]]) -> Int {
    for (key, other) in zip(tagKeys, values) {
      let value = tags.value(of: key)
      if value.elementsEqual(other) { continue }
      return value.lexicographicallyPrecedes(other) != isDescending ? -1 : 1
    }
    return 0
  }
}
