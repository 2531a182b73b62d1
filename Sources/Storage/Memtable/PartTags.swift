import LineProtocol

/// The tag keys and values of a part's measurements, each series looked at once: in the order in which they came, so that nobody who
/// asks for names waits for series to be sorted.
///
/// Memory: a copy of each distinct value and some 16 bytes, of at most `valueCountMax` a key; of a key with more the values are not
/// kept.
@safe struct PartTags {
  /// Values of a key that are kept; one that has more costs its readers a look at each series.
  static let valueCountMax = 10_000
  /// Series that may be left for who asks next.
  static let lagCountMax = 1_024

  private struct Tag {
    let key: [UInt8]
    var values = TagValueSet(countMax: PartTags.valueCountMax)

    func hasName(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
      unsafe key.withUnsafeBufferPointer { unsafe KeyOrder.isEqual($0, name) }
    }
  }

  private var seenCount = 0
  private var places: [[UInt8]: Int] = [:]
  private var measurements: [[Tag]] = []
  /// The measurement of the last series: neighbours nearly always share it.
  private var last: (name: [UInt8], place: Int) = ([], -1)

  /// Looks at the series that have come since.
  mutating func catchUp(with series: PartSeriesList) {
    while seenCount < series.count {
      unsafe series[seenCount].pointee.live.withBytes { unsafe add($0) }
      seenCount += 1
    }
  }

  /// Sorted by bytes.
  func keys(of measurement: [UInt8]) -> [[UInt8]] {
    guard let place = places[measurement] else { return [] }
    return measurements[place].map(\.key).sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The values of a tag key; `nil` where they are too many to be kept.
  mutating func values(of measurement: [UInt8], key: [UInt8]) -> TagValueList? {
    guard let place = places[measurement], let tag = measurements[place].firstIndex(where: { $0.key == key }) else {
      return TagValueList()
    }
    return measurements[place][tag].values.list()
  }

  private mutating func add(_ key: UnsafeBufferPointer<UInt8>) {
    if unsafe last.place < 0 || KeyOrder.compareMeasurement(of: key, to: last.name) != 0 {
      let name = unsafe KeyOrder.measurement(of: key)
      let place = places[name] ?? measurements.count
      if place == measurements.count {
        measurements.append([])
        places[name] = place
      }
      last = (name, place)
    }
    // Taken out, so that it is changed in place.
    var tags: [Tag] = []
    swap(&tags, &measurements[last.place])
    var hint = 0
    unsafe KeyOrder.visitTags(of: key) { name, value in
      if unsafe hint >= tags.count || !tags[hint].hasName(name) {
        hint = tags.indices.first { unsafe tags[$0].hasName(name) } ?? tags.count
        if hint == tags.count { unsafe tags.append(Tag(key: Array(name))) }
      }
      unsafe tags[hint].values.insert(value)
      hint += 1
      return true
    }
    swap(&tags, &measurements[last.place])
  }
}
