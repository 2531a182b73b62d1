/// The constants of the table format; `Storage.docc/SSTable.md` is the page.
enum TableFormat {
  /// "VARVEsst" as bytes, the first and, in the footer, nearly the last of a file.
  static let magic: [UInt8] = [0x56, 0x41, 0x52, 0x56, 0x45, 0x73, 0x73, 0x74]
  /// The format version that this code writes, and the newest that it reads.
  static let version: UInt32 = 1
  /// Magic, format version, CRC32C of both.
  static let headerByteCount = 16
  /// Compression byte and CRC32C behind every block.
  static let trailerByteCount = 5

  /// The most rows of a row group.
  static let groupRowCountMax = 16_384
  /// A series of this many rows or more has row groups of its own.
  static let longSeriesRowCount = ShortSeriesBatch.rowCountLimit
  /// Values that decode alone.
  static let miniBlockCount = 1_024
  /// Series of one block of a dictionary column, values of one block of the tag index.
  static let stripeCount = 16_384
  /// Row groups of one stripe of the row-group index.
  static let indexStripeGroupCount = 1_024
  /// A tag key with more values than this has an index.
  static let indexedValueCount = 4_096
  /// A block of tag values or of the directory is cut when its payload has this many bytes.
  static let listBlockByteCount = 16_384
  /// Bytes of one block of the Bloom filter before its trailer.
  static let filterBlockByteCount = 16_384
  /// The largest stored block that is read: a row group of strings may be large, nothing else is.
  static let blockByteCountMax = 1 << 30
}

/// Where a block lies: its first byte and how many bytes are stored, trailer included.
struct BlockHandle: Hashable, Sendable {
  var offset: UInt64
  var byteCount: Int

  /// The first byte behind it; callers have checked it against the file.
  var end: UInt64 { offset &+ UInt64(byteCount) }
}

/// Blocks of one kind that lie one behind the other.
struct BlockRun: Sendable, Equatable {
  var offset: UInt64 = 0
  var byteCounts: [Int] = []
  /// Offset of each block from `offset`, and the end of the last.
  private(set) var starts: [UInt64] = [0]

  var count: Int { byteCounts.count }

  mutating func append(_ byteCount: Int) {
    byteCounts.append(byteCount)
    starts.append(starts[starts.count - 1] &+ UInt64(byteCount))
  }

  /// The handle of block `index`.
  func handle(_ index: Int) -> BlockHandle {
    BlockHandle(offset: offset &+ starts[index], byteCount: byteCounts[index])
  }
}

/// What a table is, beyond its rows; kept in its properties.
package struct TableIdentity: Sendable, Equatable {
  /// Names the file; never used again.
  package var number: UInt64
  package var keyspace: KeyspaceID
  /// As named at writing.
  package var database: String
  package var policy: String
  /// Half-open, nanoseconds.
  package var window: Range<Int64>
  /// The numbers of the batches whose rows it holds.
  package var sequenceRange: ClosedRange<UInt64>
  /// Everything before it was dropped when the table was written.
  package var horizon: Int64

  package init(
    number: UInt64, keyspace: KeyspaceID, database: String, policy: String, window: Range<Int64>,
    sequenceRange: ClosedRange<UInt64>, horizon: Int64
  ) {
    self.number = number
    self.keyspace = keyspace
    self.database = database
    self.policy = policy
    self.window = window
    self.sequenceRange = sequenceRange
    self.horizon = horizon
  }
}

/// How tables are written.
package struct TableOptions: Sendable {
  /// A caller starts another table between two series when this many bytes are passed.
  package var byteCountTarget: UInt64 = 256 << 20
  /// The same for series: a writer holds their dictionary until its table ends.
  package var seriesCountTarget = 1 << 17
  /// Bytes gathered before they are written.
  package var bufferByteCount = 512 << 10

  package init() {}
}

/// The folder of a keyspace's tables: `tables/0000003`.
package func tableFolderName(of keyspace: KeyspaceID) -> String { "tables/" + padded(keyspace.number, 7) }

/// The name of a table's file: `tables/0000003/20261120T000000Z-0000000042.sst` (keyspace, window's start in UTC, number).
package func tableFileName(keyspace: KeyspaceID, windowStart: Int64, number: UInt64) -> String {
  let seconds = windowStart.flooredQuotient(1_000_000_000)
  let (days, second) = (seconds.flooredQuotient(86_400), seconds.flooredRemainder(86_400))
  let date = civilDate(days: days)
  let stamp =
    padded(date.year, 4) + padded(date.month, 2) + padded(date.day, 2) + "T" + padded(second / 3600, 2)
    + padded(second / 60 % 60, 2) + padded(second % 60, 2) + "Z"
  return "\(tableFolderName(of: keyspace))/\(stamp)-\(padded(number, 10)).sst"
}

private func padded(_ value: some BinaryInteger, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int64 {
  fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
    self / divisor - (self % divisor < 0 ? 1 : 0)
  }

  fileprivate func flooredRemainder(_ divisor: Int64) -> Int64 {
    let rest = self % divisor
    return rest < 0 ? rest + divisor : rest
  }
}

/// Year, month and day of a count of days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
private func civilDate(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let shifted = days + 719_468
  let era = shifted.flooredQuotient(146_097)
  let dayOfEra = shifted.flooredRemainder(146_097)
  let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let month = (5 * dayOfYear + 2) / 153
  let civilMonth = month < 10 ? month + 3 : month - 9
  return (
    yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0), civilMonth, dayOfYear - (153 * month + 2) / 5 + 1
  )
}
