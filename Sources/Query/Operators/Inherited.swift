/// What a subquery takes over from the statement around it: its time bounds, and the tags it groups by.
struct Inherited {
  var start: Int64?
  var last: Int64?
  var tagKeys: [[UInt8]] = []

  init() {}

  /// Tags named outside are kept inside, so that they are there to group by.
  init(bounds: TimeBounds, dimensions: [Expression], inner: SelectStatement) {
    (start, last) = (bounds.start, bounds.last)
    tagKeys = dimensions.compactMap { dimension in
      if case .reference(let name, _) = dimension.bare { return Array(name.utf8) }
      return nil
    }
  }

  func narrow(_ bounds: inout TimeBounds) {
    if let start { bounds.start = max(bounds.start ?? .min, start) }
    if let last { bounds.last = min(bounds.last ?? .max, last) }
  }
}

extension Grouping {
  /// Adds tags to those grouped by.
  mutating func inherit(_ keys: [[UInt8]]) {
    if !keys.isEmpty { add(keys) }
  }
}
