/// What a subquery takes over from the statement around it: its time bounds, and the tags it groups by.
struct Inherited {
  var start: Int64?
  var last: Int64?
  var tagKeys: [[UInt8]] = []
  /// Of the time buckets around it, 0 where there are none.
  var interval: Int64 = 0
  var offset: Int64 = 0
  /// Whether there is a statement around it.
  var isInner = false

  init() {}

  /// Tags named outside are kept inside, so that they are there to group by.
  init(bounds: TimeBounds, dimensions: [Expression], buckets: Grouping, in outer: Inherited) {
    (start, last) = (bounds.start, bounds.last)
    (interval, offset) = (buckets.interval, buckets.offset)
    isInner = true
    tagKeys = dimensions.compactMap { dimension in
      if case .reference(let name, _) = dimension.bare { return Array(name.utf8) }
      return nil
    }
    tagKeys += outer.tagKeys.filter { !tagKeys.contains($0) }
  }

  func narrow(_ bounds: inout TimeBounds) {
    if let start { bounds.start = max(bounds.start ?? .min, start) }
    if let last { bounds.last = min(bounds.last ?? .max, last) }
  }
}

extension Grouping {
  /// Adds tags to those grouped by; a statement without time buckets has those around it.
  mutating func inherit(_ outer: Inherited) {
    if !outer.tagKeys.isEmpty { add(outer.tagKeys) }
    guard interval == 0, outer.interval > 0 else { return }
    (interval, offset, isIntervalInherited) = (outer.interval, outer.offset, true)
  }
}
