package import LineProtocol
import Synchronization

/// A part of the memtable as a sorted run, sealed or live.
///
/// Of a live part it shows the series that are there when it is first asked for them, and rows of batches
/// numbered at most `visibleThrough`; without that bound, also rows that come while it is read. Counts and
/// times are bounds: rows of one timestamp are joined only when read.
package final class PartRun: SortedRun {
  package let sequenceRange: ClosedRange<UInt64>
  package let timeRange: ClosedRange<Int64>
  package let rowCount: Int
  let part: Part
  /// Rows whose batch number relative to the part's first is above it are not shown.
  let relativeSequenceMax: UInt64
  private let pinned = Lock<PartIndex?>(nil)

  init(
    part: Part, sequences: ClosedRange<UInt64>, times: ClosedRange<Int64>, rowCount: Int,
    visibleThrough: UInt64
  ) {
    self.part = part
    sequenceRange = sequences
    timeRange = times
    self.rowCount = rowCount
    relativeSequenceMax = visibleThrough - part.firstSequence
  }

  /// The series in order. Kept from the first use on, because ordinals count in it.
  var index: PartIndex {
    pinned.withLock { pinned in
      let index = pinned ?? PartIndex.current(of: part)
      pinned = index
      return index
    }
  }

  package func measurements() -> [[UInt8]] { part.measurements }

  package func fields(of measurement: [UInt8]) -> [FieldKey] {
    Set(part.fieldLists(of: measurement).flatMap(\.keys)).sorted {
      $0.name == $1.name ? $0.type < $1.type : $0.name.lexicographicallyPrecedes($1.name)
    }
  }

  package func tagKeys(of measurement: [UInt8]) -> [[UInt8]] {
    part.tagKeys(of: measurement)
  }

  package func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList? {
    // Where rows are hidden a series may have none that shows.
    guard relativeSequenceMax >= UInt64(UInt32.max) else { return nil }
    let found = part.tagValues(of: measurement, key: key, where: predicate, isCancelled: isCancelled)
    guard let found else { throw StorageError(.cancelled, "told to stop") }
    return found
  }

  package func series(of measurement: [UInt8], where predicate: TagPredicate?) -> SeriesList {
    list(index.range(of: measurement), where: predicate, times: nil)
  }

  package var seriesCountMax: Int { index.count }

  package func seriesCursor(of measurement: [UInt8], where predicate: TagPredicate?) -> any SeriesCursor {
    PartSeriesCursor(run: self, rest: index.range(of: measurement), predicate: predicate)
  }

  package func wholeSeriesCursor(of measurement: [UInt8]) -> any SeriesCursor {
    // Where some batches are not shown a series may have no row that is.
    let hasBounds = relativeSequenceMax >= UInt64(UInt32.max)
    return PartSeriesCursor(run: self, rest: index.range(of: measurement), predicate: nil, times: hasBounds ? timeRange : nil)
  }

  /// Keys by which it is told how long those of a part are.
  private static let sampleCount = 256
  /// Bytes of keys beyond which they go to the list.
  private static let keyByteCountMax = 1 << 16

  /// Some of the part's series, those of a predicate; with `times` these are taken for those of each.
  fileprivate func list(_ ordinals: Range<Int>, where predicate: TagPredicate?, times known: ClosedRange<Int64>?) -> SeriesList {
    var list = SeriesList()
    // Keys are put together here, some at a time: it costs less than appending each to an array.
    var keys = Buffer<UInt8>(capacity: 1 << 12)
    let index = index
    for ordinal in ordinals {
      index.prefetchKey(after: ordinal)
      if known == nil { index.prefetchChunks(after: ordinal) }
      if list.count == Self.sampleCount, predicate == nil {
        list.reserve(perKey: (list.keyBytes.count + keys.count) / Self.sampleCount, count: ordinals.count)
      }
      if let predicate {
        let tags = index.key(ordinal).parts.tags
        if !predicate.isSatisfied({ wanted in tags.first { $0.key.elementsEqual(wanted) }?.value ?? [] }) {
          continue
        }
      }
      guard let times = known ?? times(ofSeries: ordinal, in: index) else { continue }
      if keys.count > Self.keyByteCountMax { list.take(&keys) }
      unsafe index[ordinal].pointee.live.appendKey(to: &keys)
      list.append(
        keyEnd: list.keyBytes.count + keys.count, ordinal: UInt32(ordinal), firstTimestamp: times.lowerBound,
        lastTimestamp: times.upperBound)
    }
    list.take(&keys)
    return list
  }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    PartReader(run: self, fields: fields)
  }

  /// Bounds of the timestamps of a series; `nil` if none of its rows is shown.
  private func times(ofSeries ordinal: Int, in index: PartIndex) -> ClosedRange<Int64>? {
    var (low, high) = (Int64.max, Int64.min)
    var next = unsafe PartSeries.newestChunk(index[ordinal])
    while let chunk = unsafe next {
      // Rows ascend by batch number, with which their second word begins: if the first is not shown none is.
      // Without a bound the row is not touched, but where it is the only one: it would cost a cache miss.
      if unsafe chunk.pointee.count.load(ordering: .acquiring) > 0,
        unsafe relativeSequenceMax >= UInt64(UInt32.max) || Chunk.rows(chunk)[1] >> 32 <= relativeSequenceMax
      {
        let written = unsafe Chunk.times(chunk)
        low = min(low, written.first)
        high = max(high, written.last)
      }
      unsafe next = chunk.pointee.older
    }
    return low <= high ? low...high : nil
  }
}

extension Part {
  /// The part as a run, without what tombstones above it hide; `nil` while there is nothing to show.
  ///
  /// A delete seals the parts that it meets, so that each of those lies wholly below its number or wholly above.
  package func maskedRun(by tombstones: [Tombstone]) -> (any SortedRun)? {
    guard let run = makeRun() else { return nil }
    let above = tombstones.filter { $0.sequence > firstSequence }
    return above.contains { $0.deletion.takesAll(of: run.timeRange) } ? nil : MaskedRun.masking(run, by: above)
  }
}

/// The series of a part, as many at a time as are asked for.
private struct PartSeriesCursor: SeriesCursor {
  let run: PartRun
  var rest: Range<Int>
  let predicate: TagPredicate?
  /// Taken for those of each series; `nil`: these are looked up.
  var times: ClosedRange<Int64>?

  mutating func next(_ countMax: Int) -> SeriesList? {
    if rest.isEmpty { return nil }
    let taken = rest.prefix(countMax)
    rest = taken.upperBound..<rest.upperBound
    return run.list(taken, where: predicate, times: times)
  }
}
