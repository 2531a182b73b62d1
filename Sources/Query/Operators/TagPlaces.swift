import LineProtocol

/// The kept columns that are tags, by key.
struct TagPlaces {
  /// The keys behind one another, where each lies, and its column.
  private var keys: [UInt8] = []
  private var places: [(key: Range<Int>, place: Int)] = []

  init(_ contents: [RowContent]) {
    let tags = contents.enumerated().compactMap { place, content in
      if case .tag(let key) = content { (key: key, place: place) } else { nil }
    }
    for (key, place) in tags.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      places.append((keys.count..<keys.count + key.count, place))
      keys += key
    }
  }

  /// Calls `body` with each place and where in `tags.bytes` the value of its tag lies, `nil` where a series lacks that: both, tags and
  /// places, come in the order of keys.
  @inline(__always)
  func visit(_ tags: SeriesTags, _ body: (Int, Range<Int>?) -> Void) {
    guard !places.isEmpty else { return }
    var next = 0
    tags.visitPlaces { key, value in
      while next < places.count {
        let order = tags.order(key, keys, places[next].key)
        if order < 0 { break }
        body(places[next].place, order == 0 ? value : nil)
        next += 1
      }
      return next < places.count
    }
    while next < places.count {
      body(places[next].place, nil)
      next += 1
    }
  }
}
