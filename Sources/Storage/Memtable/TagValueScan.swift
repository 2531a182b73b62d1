import LineProtocol

/// The values of a tag key among the series of a part that satisfy a predicate: each series is looked at once, in the order in which they
/// came, so that who asks again looks only at what is new.
@safe struct TagValueScan {
  let measurement: [UInt8]
  let key: [UInt8]
  let predicate: TagPredicate?
  /// What the predicate asks, where that is one value of one tag: kept apart, since what is taken out of the predicate for each series is
  /// counted each time.
  private let required: (key: [UInt8], value: [UInt8])?
  private var seenCount = 0
  /// The values of the last answer, and those seen since.
  private var known = TagValueList()
  private var fresh = TagValueSet(countMax: .max)

  init(of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?) {
    (self.measurement, self.key, self.predicate) = (measurement, key, predicate)
    if case .equals(let key, let value) = predicate { required = (key, value) } else { required = nil }
  }

  /// Bytes of memory taken, about.
  var byteCount: Int { known.byteCount + fresh.byteCount }

  /// Series between two looks whether to go on.
  private static let stretchCount = 8_192

  /// The values that there are by now; `nil` if it is not to go on: what was seen stays so.
  mutating func list(of series: PartSeriesList, isCancelled: () -> Bool) -> TagValueList? {
    while seenCount < series.count {
      if isCancelled() { return nil }
      for number in seenCount..<min(seenCount + Self.stretchCount, series.count) {
        unsafe series[number].pointee.live.withBytes { unsafe look($0) }
        seenCount = number + 1
      }
    }
    if let new = fresh.list(), new.count > 0 {
      // What told them apart while they came takes twice what they do.
      fresh = TagValueSet(countMax: .max)
      known = known.union(new)
    }
    return known
  }

  private mutating func look(_ series: UnsafeBufferPointer<UInt8>) {
    guard unsafe KeyOrder.compareMeasurement(of: series, to: measurement) == 0 else { return }
    if let required {
      if unsafe !KeyOrder.hasValue(required.value, of: required.key, in: series) { return }
    } else if let predicate, unsafe !predicate.isSatisfied({ unsafe KeyOrder.value(of: $0, in: series) }) { return }
    let value = unsafe KeyOrder.value(of: key, in: series)
    if !value.isEmpty { unsafe fresh.insert(value) }
  }
}
