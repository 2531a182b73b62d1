/// What the 64-bit words of a column mean. 1…5 are the numbers of field types; they are written to disk, and
/// 0 is never valid.
///
/// A word is a float's bit pattern, an integer's two's complement, an unsigned integer, 0 or 1 for a boolean,
/// `offset << 32 | byteCount` into a byte array for a string, or a timestamp's two's complement.
public enum ColumnKind: UInt8, Sendable, CaseIterable {
  case float = 1
  case integer = 2
  case unsigned = 3
  case boolean = 4
  case string = 5
  case timestamp = 6
}
