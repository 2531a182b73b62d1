import LineProtocol

/// The tag keys and values of a part's measurements, each series looked at once: in the order in which they came, so that nobody who
/// asks for names waits for series to be sorted.
///
/// Memory: a copy of each distinct value and some 16 bytes, of at most `valueCountMax` a key; of a key with more the values are not
/// kept.
@safe struct PartTags {
  /// Values of a key that are kept; one that has more costs its readers a look at each series.
  static let valueCountMax = 10_000
  /// Series that may be left for who asks next, some 20 ms of work: a part that is flushed before anybody asks costs nothing, and of a
  /// million new series nobody waits for all.
  static let lagCountMax = 1 << 17

  /// The tag keys of a measurement in the order in which they came, and the values of each.
  private struct Tags {
    /// One after another: a look at a key counts no references.
    private var keyBytes: [UInt8] = []
    private var keyEnds: [Int] = []
    var values: [TagValueSet] = []

    /// The keys, each as a value of its own.
    var keys: [[UInt8]] { keyEnds.indices.map { Array(keyBytes[range($0)]) } }

    private func range(_ place: Int) -> Range<Int> { (place == 0 ? 0 : keyEnds[place - 1])..<keyEnds[place] }

    /// The place of a key, mostly `hint`; made where it is not there.
    @inline(__always) mutating func place(of key: UnsafeBufferPointer<UInt8>, hint: Int) -> Int {
      if hint < keyEnds.count, unsafe isKey(hint, key) { return hint }
      return unsafe find(key)
    }

    @inline(__always) private func isKey(_ place: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
      // The range lies within `keyBytes`.
      unsafe keyBytes.withUnsafeBufferPointer { unsafe KeyOrder.isEqual(UnsafeBufferPointer(rebasing: $0[range(place)]), key) }
    }

    @inline(never) private mutating func find(_ key: UnsafeBufferPointer<UInt8>) -> Int {
      if let place = keyEnds.indices.first(where: { unsafe isKey($0, key) }) { return place }
      unsafe keyBytes.append(contentsOf: key)
      keyEnds.append(keyBytes.count)
      values.append(TagValueSet(countMax: PartTags.valueCountMax))
      return keyEnds.count - 1
    }
  }

  private var seenCount = 0
  private var places: [[UInt8]: Int] = [:]
  private var measurements: [Tags] = []
  /// The measurement of the last series: neighbours nearly always share it.
  private var last: (name: [UInt8], place: Int) = ([], -1)

  /// Looks at the series that have come since.
  mutating func catchUp(with series: PartSeriesList) {
    if seenCount == series.count { return }
    unsafe RecentTagValues.with { recent in
      while seenCount < series.count {
        unsafe series[seenCount].pointee.live.withBytes { unsafe add($0, recent) }
        seenCount += 1
      }
    }
  }

  /// Sorted by bytes.
  func keys(of measurement: [UInt8]) -> [[UInt8]] {
    guard let place = places[measurement] else { return [] }
    return measurements[place].keys.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The values of a tag key; `nil` where they are too many to be kept.
  mutating func values(of measurement: [UInt8], key: [UInt8]) -> TagValueList? {
    guard let place = places[measurement], let tag = measurements[place].keys.firstIndex(of: key) else {
      return TagValueList()
    }
    return measurements[place].values[tag].list()
  }

  private mutating func add(_ key: UnsafeBufferPointer<UInt8>, _ recent: borrowing RecentTagValues) {
    if unsafe last.place < 0 || KeyOrder.compareMeasurement(of: key, to: last.name) != 0 {
      let name = unsafe KeyOrder.measurement(of: key)
      let place = places[name] ?? measurements.count
      if place == measurements.count {
        measurements.append(Tags())
        places[name] = place
      }
      last = (name, place)
    }
    // Taken out, so that it is changed in place.
    var tags = Tags()
    swap(&tags, &measurements[last.place])
    var (cursor, place) = unsafe (KeyOrder.TagCursor(key), 0)
    while let tag = unsafe cursor.next() {
      place = unsafe tags.place(of: tag.name, hint: place)
      if !tags.values[place].isOver, unsafe !recent.take(tag.value, of: UInt64(last.place) << 24 | UInt64(place)) {
        unsafe tags.values[place].insert(tag.value)
      }
      place += 1
    }
    swap(&tags, &measurements[last.place])
  }
}
