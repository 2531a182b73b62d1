internal import CShims

/// Finds where a line ends; keeps its place and state, so that bytes that come later are scanned from there.
///
/// A newline ends a line unless it stands inside a quoted string value or after a backslash. What counts as a string value
/// is decided as InfluxDB's `scanLine` (`models/points.go`) does: a quote after the first unescaped space, where more `=`
/// than `,` have been seen since. A comment ends at its newline whatever it holds. Framer and parser share this, so they
/// cannot disagree about what a line is.
struct LineScan {
  /// Bytes of the line that are scanned.
  private(set) var position = 0
  /// A line may have ended at `position`; what decides it has not come.
  private(set) var isUndecided = false
  /// A quoted string value is open at `position`.
  private(set) var isQuoted = false

  private enum Stage { case blanks, comment, point }
  private var stage = Stage.blanks
  /// The line is a comment, as far as it was scanned.
  var isComment: Bool { stage == .comment }
  /// An unescaped space has been seen: quotes may open strings.
  private var isPastKey = false
  /// `=` less `,` seen past the key.
  private var valueDepth = 0

  /// Looks on from `position`; returns the offset of the newline that ends the line, `nil` if it is not among the bytes.
  ///
  /// - Parameters:
  ///   - line: the line's first byte.
  ///   - count: bytes that are there; at most the longest line and its newline are to be given.
  ///   - acknowledgement: a line that begins with these bytes ends an open quote or escape before it; empty: none does.
  ///   - available: bytes that may be looked at to recognise `acknowledgement`; at least `count`.
  ///   - isLast: nothing follows the bytes.
  mutating func findEnd(
    line: UnsafePointer<UInt8>, count: Int, acknowledgement: StaticString = "", available: Int = 0,
    isLast: Bool = true
  ) -> Int? {
    // Every read is below `count`, or below `available` in `begins`.
    isUndecided = false
    while position < count {
      switch stage {
      case .blanks:
        let byte = unsafe line[position]
        if Escaping.isBlank(byte) {
          if byte == Escaping.space { isPastKey = true }
          position += 1
          continue
        }
        stage = byte == UInt8(ascii: "#") ? .comment : .point
        continue
      case .comment:
        position = unsafe CShims_findByte(line + position, line + count, Escaping.newline) - line
        return position < count ? position : nil
      case .point: break
      }
      unsafe advance(line, count)
      if position >= count { return nil }
      let special = unsafe line[position]
      if special == Escaping.quote {
        if isQuoted || valueDepth > 0 { isQuoted.toggle() }
        position += 1
        continue
      }
      if special == Escaping.newline && !isQuoted { return position }
      // An escaped or quoted newline ends the line only where an acknowledgement is asked for after it.
      let newline = special == Escaping.backslash ? position + 1 : position
      if newline >= count { return nil }
      if unsafe line[newline] == Escaping.newline && acknowledgement.utf8CodeUnitCount > 0 {
        switch unsafe begins(line + newline + 1, available - newline - 1, acknowledgement) {
        case true?: return newline
        case nil where !isLast:
          isUndecided = true
          return nil
        default: break
        }
      }
      position = newline + 1
    }
    return nil
  }

  /// Passes over bytes up to a quote, a backslash or a newline, and takes notice of what they say about quotes.
  @inline(__always) private mutating func advance(_ line: UnsafePointer<UInt8>, _ count: Int) {
    var start = unsafe line + position
    let end = unsafe line + count
    let special = unsafe CShims_findAny(start, end, Escaping.quote, Escaping.backslash, Escaping.newline)
    position = unsafe special - line
    if isQuoted { return }
    if !isPastKey {
      unsafe start = CShims_findByte(start, special, Escaping.space)
      if unsafe start == special { return }
      isPastKey = true
    }
    valueDepth += unsafe CShims_countByte(start, special, Escaping.equals)
    valueDepth -= unsafe CShims_countByte(start, special, Escaping.comma)
  }

  /// Whether the `count` bytes begin with `prefix`; `nil` when they are its beginning but too few.
  private func begins(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ prefix: StaticString) -> Bool? {
    for index in 0..<prefix.utf8CodeUnitCount {
      if index >= count { return nil }
      if unsafe bytes[index] != prefix.utf8Start[index] { return false }
    }
    return true
  }
}
