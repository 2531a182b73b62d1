import LineProtocol

/// The kept columns that are tags, by key.
struct TagPlaces {
  private let places: [(key: [UInt8], place: Int)]

  init(_ contents: [RowContent]) {
    places = contents.enumerated().compactMap { place, content in
      if case .tag(let key) = content { (key, place) } else { nil }
    }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  /// Calls `found` with the places of the tags that a series has and with their values, `absent` with all others: both, tags and places,
  /// come in the order of keys.
  func visit(_ tags: SeriesTags, absent: (Int) -> Void, found: (Int, ArraySlice<UInt8>) -> Void) {
    guard !places.isEmpty else { return }
    var next = 0
    tags.visit { key, value in
      while next < places.count, places[next].key.lexicographicallyPrecedes(key) {
        absent(places[next].place)
        next += 1
      }
      while next < places.count, places[next].key.elementsEqual(key) {
        found(places[next].place, value)
        next += 1
      }
      return next < places.count
    }
    while next < places.count {
      absent(places[next].place)
      next += 1
    }
  }
}
