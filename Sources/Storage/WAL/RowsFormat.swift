/// Payloads of the log's `definitions` and `rows` records, as `RowEncoder` writes and `RowDecoder` reads
/// them.
///
/// Numbers are little-endian, varints LEB128. Series and field lists have numbers that count up from 0 for
/// each receiver in each segment, so a segment is self-contained and numbers are small.
///
/// ```
/// definitions    varint  receiver
///                varint  number of the first series defined here      (the count of those before)
///                varint  count of series; for each: varint byte count, SeriesKey bytes
///                varint  number of the first field list defined here
///                varint  count of field lists; for each: varint count of fields,
///                        for each: type (1 byte), varint byte count, name
///
/// rows           varint  receiver
///                varint  keyspace
///                8 bytes first row's timestamp
///                varint  count of rows, then the rows:
///
/// row            1 byte  bits 0–3  bytes of the timestamp's distance from the row before, zigzag: 0–8
///                        bits 4–5  series: 0 that after the row before's; 1, 2, 3: its number in 1, 2, 4 bytes
///                        bits 6–7  field list: 0 as in the row before; 1, 2, 3: its number in 1, 2, 4 bytes
///                then    distance, series, field list, each in the bytes stated
///                then    the values, in groups of at most 16: one nibble a value with its byte count, 0–8,
///                        in 1, 2, 4 or 8 bytes (for up to 2, 4, 8, 16 values), then the values in these bytes:
///                        integer   zigzag        unsigned, boolean   as it is
///                        float     bytes of the bit pattern reversed, so that short fractions are short
///                        string    its byte count
///                then    the bytes of the row's strings
/// ```
///
/// Before the first row the series is the one before number 0, the field list 0, the timestamp that of the
/// header.
enum RowsFormat {
  /// Values that share one word of nibbles.
  static let groupCount = 16
  /// Series or field lists that one receiver can define in one segment.
  static let definitionCountMax = 1 << 24

  /// Bytes of the nibbles of a group.
  @inline(__always) static func nibbleByteCount(_ valueCount: Int) -> Int {
    valueCount <= 2 ? 1 : valueCount <= 4 ? 2 : valueCount <= 8 ? 4 : 8
  }

  /// The sum of a word's nibbles: bytes of the values of a group.
  @inline(__always) static func nibbleSum(_ word: UInt64) -> Int {
    let mask: UInt64 = 0x0f0f_0f0f_0f0f_0f0f
    // Each byte is at most 30, and all eight together at most 240.
    let bytes = (word & mask) &+ ((word &>> 4) & mask)
    return Int((bytes &* 0x0101_0101_0101_0101) &>> 56)
  }

  /// Bytes that a word takes without its upper zero bytes: 0–8.
  @inline(__always) static func width(_ word: UInt64) -> Int {
    (71 &- word.leadingZeroBitCount) &>> 3
  }

  @inline(__always) static func zigzag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
  }

  @inline(__always) static func unzigzag(_ word: UInt64) -> Int64 {
    Int64(bitPattern: word &>> 1) ^ -Int64(bitPattern: word & 1)
  }

  /// How the values of a field list are written.
  enum Shape: UInt8 {
    /// All zigzag, all reversed, or each by its type.
    case integers, floats, mixed
  }
}
