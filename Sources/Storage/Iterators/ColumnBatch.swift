public import LineProtocol

/// The values of one field over the rows of a batch.
public struct Column: Sendable {
  public var key: FieldKey
  /// One for each row, whether present or not (0 where not): the 8 bytes of a number, 0 or 1 for a boolean,
  /// `offset << 32 | byteCount` into `bytes` for a string.
  public var values: [UInt64] = []
  /// Bit `i & 63` of word `i >> 6` says that row `i` has a value. Empty when every row has one.
  public var validity: [UInt64] = []
  /// The rows that have a value.
  public var presentCount = 0
  /// The bytes of strings.
  public var bytes: [UInt8] = []

  public init(key: FieldKey) { self.key = key }

  /// Whether row `index` has a value.
  @inlinable public func isPresent(_ index: Int) -> Bool {
    validity.isEmpty ? presentCount > 0 : validity[index >> 6] & (1 << UInt64(index & 63)) != 0
  }

  /// Forgets the rows, keeps the memory.
  public mutating func reset() {
    // What is empty is looked at only: batches of one row come a hundred thousand times.
    if !values.isEmpty { values.removeAll(keepingCapacity: true) }
    if !validity.isEmpty { validity.removeAll(keepingCapacity: true) }
    if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
    presentCount = 0
  }

  /// Takes the last value of a stretch as that of the only row, where it is of that row's time.
  mutating func takeLast(_ known: ColumnStatistics, at time: Int64) {
    guard known.count > 0, known.lastTimestamp == time else { return }
    values.append(known.last)
    presentCount = 1
  }

  /// The string of row `index`.
  public func string(_ index: Int) -> ArraySlice<UInt8> {
    let offset = Int(values[index] >> 32)
    return bytes[offset..<offset + Int(values[index] & 0xffff_ffff)]
  }
}

/// Rows of one series, sorted by time, no time twice: what crosses from storage to whoever reads, and from merge to writer.
///
/// When no row of a column has a value its `presentCount` is 0 and both `values` and `validity` may be empty.
public struct ColumnBatch: Sendable {
  /// Nanoseconds since 1970, strictly ascending.
  public var timestamps: [Int64] = []
  /// In the order in which they were asked for.
  public var columns: [Column]

  public init(fields: [FieldKey]) { columns = fields.map(Column.init) }

  /// Rows held.
  public var count: Int { timestamps.count }

  /// Forgets the rows, keeps columns and memory.
  public mutating func reset() {
    timestamps.removeAll(keepingCapacity: true)
    for index in columns.indices { columns[index].reset() }
  }
}

/// What is known of one column of a row group without decoding it. Words are as in `Column.values`.
public struct ColumnStatistics: Sendable, Equatable {
  /// Values present; minimum and the rest mean nothing where it is 0.
  public var count: Int
  /// By the column's type; NaN is left out of both, and `hasNaN` says that there is one.
  public var minimum: UInt64
  public var maximum: UInt64
  /// The values at the first and the last present row, and their times.
  public var first: UInt64
  public var last: UInt64
  public var firstTimestamp: Int64
  public var lastTimestamp: Int64
  /// The sum of integers, exact (two's complement, 128 bits).
  public var integerSum: Int128
  /// The sum of floats as an unrounded pair: value and error of a compensated summation.
  public var floatSum: Double
  public var floatError: Double
  public var hasNaN: Bool

  public init() {
    count = 0
    minimum = 0
    maximum = 0
    first = 0
    last = 0
    firstTimestamp = 0
    lastTimestamp = 0
    integerSum = 0
    floatSum = 0
    floatError = 0
    hasNaN = false
  }
}
