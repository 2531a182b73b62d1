import LineProtocol

/// Counts series and bytes of one measurement by tag key and tag value.
struct SeriesTally {
  struct Amount {
    var series = 0
    var byteCount = 0.0
  }
  private struct Tag: Hashable {
    var key: ArraySlice<UInt8>
    var value: ArraySlice<UInt8>
  }
  private var byKey: [ArraySlice<UInt8>: Amount] = [:]
  private var byTag: [Tag: Amount] = [:]
  private let weight: Int

  init(_ sample: SeriesSample) {
    weight = sample.weight
    for series in sample.series.values {
      for tag in series.key.parts.tags {
        Self.add(series, to: &byKey[tag.key, default: Amount()])
        Self.add(series, to: &byTag[Tag(key: tag.key, value: tag.value), default: Amount()])
      }
    }
  }

  private static func add(_ series: SeriesSample.Series, to amount: inout Amount) {
    amount.series += 1
    amount.byteCount += series.byteCount
  }

  /// The tag keys and tag values with the most series.
  func entries(database: String, measurement: String, top: Int) -> [SeriesReport.Entry] {
    func entry(_ kind: SeriesReport.Kind, _ key: ArraySlice<UInt8>, _ amount: Amount) -> SeriesReport.Entry {
      SeriesReport.Entry(
        database: database, kind: kind, measurement: measurement, key: String(decoding: key, as: UTF8.self),
        value: nil, values: nil, series: amount.series * weight,
        bytes: UInt64(amount.byteCount * Double(weight)))
    }
    var valueCounts: [ArraySlice<UInt8>: Int] = [:]
    for tag in byTag.keys { valueCounts[tag.key, default: 0] += 1 }
    let keys = byKey.map { key, amount in
      var made = entry(.tagKey, key, amount)
      made.values = valueCounts[key]
      return made
    }
    let sorted = byTag.sorted {
      ($0.value.series, $0.value.byteCount) > ($1.value.series, $1.value.byteCount)
    }
    let largest = sorted.prefix(top)
    let values = largest.map { tag, amount in
      var made = entry(.tagValue, tag.key, amount)
      made.value = String(decoding: tag.value, as: UTF8.self)
      return made
    }
    return keys + values
  }
}
