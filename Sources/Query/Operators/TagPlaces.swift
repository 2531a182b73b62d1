import LineProtocol

/// The kept columns that are tags, by key.
struct TagPlaces {
  private let places: [(key: [UInt8], place: Int)]

  init(_ contents: [RowContent]) {
    places = contents.enumerated().compactMap { place, content in
      if case .tag(let key) = content { (key, place) } else { nil }
    }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  /// Calls `body` with each place and the value of its tag, `nil` where a series lacks that: both, tags and places, come in the order of
  /// keys.
  func visit(_ tags: SeriesTags, _ body: (Int, ArraySlice<UInt8>?) -> Void) {
    guard !places.isEmpty else { return }
    var next = 0
    tags.visitPlaces { key, value in
      while next < places.count {
        let order = tags.order(places[next].key, key)
        if order > 0 { break }
        body(places[next].place, order == 0 ? tags.bytes[value] : nil)
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
