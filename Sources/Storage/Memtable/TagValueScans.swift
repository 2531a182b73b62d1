import LineProtocol

/// What was last asked of a part's tag values, so that the same asked again costs no look at every series.
struct TagValueScans {
  /// Scans that are kept.
  private static let countMax = 4

  /// The last one asked for comes last.
  private var scans: [TagValueScan] = []

  /// The values that there are by now; `nil` if it is not to go on.
  ///
  /// - Parameter byteCountMax: what scans may take that are kept; past it the oldest go, at last this one.
  mutating func list(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, in series: PartSeriesList,
    byteCountMax: Int, isCancelled: () -> Bool
  ) -> TagValueList? {
    let known = scans.firstIndex { $0.measurement == measurement && $0.key == key && $0.predicate == predicate }
    var scan = known.map { scans.remove(at: $0) } ?? TagValueScan(of: measurement, key: key, where: predicate)
    let list = scan.list(of: series, isCancelled: isCancelled)
    scans.append(scan)
    while scans.count > Self.countMax || scans.reduce(0, { $0 + $1.byteCount }) > byteCountMax {
      scans.removeFirst()
    }
    return list
  }
}
