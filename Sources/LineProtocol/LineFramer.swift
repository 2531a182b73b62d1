internal import CShims

/// Cuts a stream of bytes into whole lines, as they come.
///
/// The listener keeps the bytes that are not yet consumed at the front of a buffer, appends what it reads, and asks:
///
/// ```swift
/// let piece = framer.next(bytes, isLast: endOfStream)
/// switch piece.kind {
/// case .lines: line += parser.parse(those, now: now, firstLine: line, into: batch)   // commit when it pays
/// case .acknowledge(let token): commit the batch; answer `token` when its ticket is decided; line += 1
/// case .refused(let reject): batch.refuse(reject with `line` added to its line − 1); line += piece.newlineCount
/// case .skipped: line += piece.newlineCount                         // the rest of a refused line
/// case .incomplete: read more (room for `lineByteCountMax + 8` bytes is enough), or stop if `isLast`
/// }
/// drop the first `piece.byteCount` bytes
/// ```
///
/// and repeats until `.incomplete`. A line ends as `LineScan` says, so framer and parser agree. What was scanned is not scanned
/// again. Bytes without quotes, backslashes and `#` are passed over 16 at a time (some 10 GB/s). A line that does not end within
/// `lineByteCountMax` bytes is refused once, and what follows is skipped up to the next newline. An open quote also ends
/// where a line begins with `# ack `: what it swallowed is one line of `.lines`, which the parser refuses. The answers do not
/// depend on how the stream was cut into reads, except that runs of `.lines` may be joined or not.
public struct LineFramer {
  /// What the first `byteCount` bytes are.
  public struct Piece: Sendable {
    /// What a piece can be.
    public enum Kind: Equatable, Sendable {
      /// Whole lines for the parser. Only at the end of the stream may the last lack its newline.
      case lines
      /// A line `# ack TOKEN`; the token's place among the bytes.
      case acknowledge(token: Range<Int>)
      /// The beginning of a line that is too long; the reject's line is 1 and its text the first bytes.
      case refused(Reject)
      /// The rest, or more, of such a line.
      case skipped
      /// No line ends here yet; `byteCount` is 0.
      case incomplete
    }

    /// What to do with it.
    public var kind: Kind
    /// Bytes to consume.
    public var byteCount: Int
    /// Physical lines that end in the bytes of `.refused`, `.skipped` and `.acknowledge`; 0 for `.lines`, whose lines the parser counts.
    public var newlineCount: UInt64

    static let incomplete = Piece(kind: .incomplete, byteCount: 0, newlineCount: 0)
  }

  /// The longest token of an acknowledgement.
  public static let tokenByteCountMax = 64

  private let lineByteCountMax: Int
  private let carriageReturn: CarriageReturnMode
  /// Where the first line that is not yet known to end begins; lines before it are whole.
  private var lineStart = 0
  /// Bytes passed over: no quote, backslash or `#` lies between `lineStart` and here.
  private var scanned = 0
  /// The place in the line at `lineStart` once it held a byte that needs a look.
  private var scan: LineScan?
  /// Inside a line that was refused: its end is looked for.
  private var isSkipping = false

  /// A framer at the beginning of a stream. `options` are the parser's.
  public init(options: LineParser.Options = LineParser.Options()) {
    lineByteCountMax = options.lineByteCountMax
    carriageReturn = options.carriageReturn
  }

  /// Says what the front of `bytes` is: all that came and was not consumed. `isLast`: the stream has ended.
  public mutating func next(_ bytes: UnsafeRawBufferPointer, isLast: Bool = false) -> Piece {
    guard let address = bytes.baseAddress, bytes.count > 0 else { return .incomplete }
    // Offsets from `base` stay within 0 ... count.
    let (base, count) = unsafe (address.assumingMemoryBound(to: UInt8.self), bytes.count)
    if isSkipping { return unsafe skip(base, count) }
    while true {
      if scan == nil { unsafe passPlain(base, count) }
      if let end = unsafe scan?.findEnd(
        line: base + lineStart, count: min(count - lineStart, lineByteCountMax + 1),
        acknowledgement: Self.acknowledgement, available: count - lineStart, isLast: isLast)
      {
        if let token = unsafe token(base + lineStart, end) {
          return lineStart > 0 ? consume(lineStart) : acknowledge(token, end + 1)
        }
        lineStart += end + 1
        scanned = lineStart
        scan = nil
        continue
      }
      // What is left at `lineStart` has no end yet.
      let left = count - lineStart
      if left > lineByteCountMax && lineStart == 0 && scan?.isUndecided != true { return unsafe refuse(base) }
      if left <= lineByteCountMax && left > 0 && isLast {
        if let token = unsafe token(base + lineStart, left) {
          return lineStart > 0 ? consume(lineStart) : acknowledge(token, left)
        }
        return consume(count)
      }
      return lineStart > 0 ? consume(lineStart) : .incomplete
    }
  }

  /// Passes over bytes that need no look; stops with `scan` set in a line that does, or at the end.
  private mutating func passPlain(_ base: UnsafePointer<UInt8>, _ count: Int) {
    let start = unsafe base + scanned
    let hit = unsafe CShims_findAny(
      start, base + count, Escaping.quote, Escaping.backslash, UInt8(ascii: "#"))
    let line = unsafe CShims_pastLast(start, hit, Escaping.newline)
    if unsafe line > start { lineStart = unsafe line - base }
    scanned = unsafe hit - base
    if scanned < count { scan = LineScan() }
  }

  /// Gives the first `byteCount` bytes, whole lines, away.
  private mutating func consume(_ byteCount: Int) -> Piece {
    if byteCount > lineStart { scan = nil }
    lineStart = 0
    scanned = max(scanned - byteCount, 0)
    return Piece(kind: .lines, byteCount: byteCount, newlineCount: 0)
  }

  private mutating func acknowledge(_ token: Range<Int>, _ byteCount: Int) -> Piece {
    scan = nil
    scanned = 0
    return Piece(kind: .acknowledge(token: token), byteCount: byteCount, newlineCount: 1)
  }

  /// Refuses the line that begins at `base` and is longer than the limit.
  private mutating func refuse(_ base: UnsafePointer<UInt8>) -> Piece {
    let reject = unsafe Reject.tooLong(
      isQuoted: scan?.isQuoted ?? false, limit: lineByteCountMax, line: 1,
      text: UnsafeBufferPointer(start: base, count: lineByteCountMax))
    let newlineCount = unsafe UInt64(CShims_countByte(base, base + lineByteCountMax, Escaping.newline))
    scan = nil
    scanned = 0
    isSkipping = true
    return Piece(kind: .refused(reject), byteCount: lineByteCountMax, newlineCount: newlineCount)
  }

  /// Looks for the end of a line that was refused.
  private mutating func skip(_ base: UnsafePointer<UInt8>, _ count: Int) -> Piece {
    let newline = unsafe CShims_findByte(base, base + count, Escaping.newline) - base
    isSkipping = newline == count
    return Piece(
      kind: .skipped, byteCount: min(newline + 1, count), newlineCount: isSkipping ? 0 : 1)
  }

  private static let acknowledgement: StaticString = "# ack "

  /// The token of the line of `count` bytes, if it asks for an acknowledgement: one word of printable ASCII.
  private func token(_ line: UnsafePointer<UInt8>, _ count: Int) -> Range<Int>? {
    guard scan?.isComment == true else { return nil }
    let prefix = Self.acknowledgement
    var end = count
    if unsafe carriageReturn == .strip && count > 0 && line[count - 1] == UInt8(ascii: "\r") { end -= 1 }
    let start = prefix.utf8CodeUnitCount
    guard end > start && end - start <= Self.tokenByteCountMax else { return nil }
    for index in 0..<start where unsafe line[index] != prefix.utf8Start[index] { return nil }
    for index in start..<end where unsafe line[index] < 0x21 || line[index] > 0x7e { return nil }
    return start..<end
  }
}
