/// How a block's values are encoded: the first byte of its payload. The numbers are those written to disk; 0
/// is never valid.
///
/// `Coding.docc/Encodings.md` has the bytes of each.
enum Encoding: UInt8 {
  /// One word, for all rows.
  case constant = 1
  /// A first word and a step: `first + row × step`.
  case progression = 2
  /// Predicted, bit-packed in groups of 1,024 with exceptions.
  case packed = 3
  /// Words of 8 bytes.
  case plain = 4
  /// One bit a row.
  case bits = 5
  /// The rows at which a bit is the rarer one, or changes.
  case positions = 6
  /// Strings: their lengths, and their bytes.
  case strings = 7
  /// Strings: the distinct ones, and a number for each row.
  case dictionary = 8
  /// The distinct words, and a number for each row.
  case wordDictionary = 9
  /// Predicted, told by ranges and places in them, in groups of 1,024.
  case ranges = 10
}

/// Rows that are encoded together and decode alone.
public let groupRowCount = 1024
