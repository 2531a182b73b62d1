internal import CShims

/// Parses line protocol into batches; one a receiver and set of options, one thread.
///
/// A line whose series, field names and types are those that came last time in this place is recognised by comparing bytes
/// and read in one pass (`LineParser+Fast`): about 0.1 µs for 350 bytes and ten fields. Every other line takes the general way
/// (`LineParser+General`), which knows the whole grammar, refuses what is wrong, and teaches the vocabulary what is new.
@safe public final class LineParser {
  /// How lines are read.
  public struct Options: Sendable {
    /// The unit of timestamps.
    public var precision: Precision
    /// What a carriage return before a newline means.
    public var carriageReturn: CarriageReturnMode
    /// The longest line, in bytes without its newline.
    public var lineByteCountMax: Int

    /// As InfluxDB's HTTP interface reads them, but for carriage returns.
    public init(
      precision: Precision = .nanoseconds, carriageReturn: CarriageReturnMode = .strip,
      lineByteCountMax: Int = LineLimits.lineByteCountDefault
    ) {
      self.precision = precision
      self.carriageReturn = carriageReturn
      self.lineByteCountMax = lineByteCountMax
    }
  }

  /// The timestamp of a point that has none, when `parse` was told `unset` for `now`.
  public static let unset = Int64.min

  /// The names that the batches refer to.
  public let vocabulary: Vocabulary
  /// May be changed between calls.
  public var options: Options

  // Scratch of the general way.
  var key = LineKey()
  var fields: LineFields
  let floats = DecimalFloat.shared
  private var tail = Buffer<UInt8>(capacity: 2_048)
  var listKey: [UInt8] = []
  var nameCounts: [Int] = []
  /// The hash of the spelling at which the fast way stopped because it has no number; `nil` if it stopped for another reason.
  var missed: UInt32?
  /// The spelling of the last point, if it may predict the next; of `generation`.
  var last = SpellingEntry.none
  var generation: UInt64 = 0

  /// A parser that numbers names in `vocabulary`, which several parsers of one thread may share.
  public init(vocabulary: Vocabulary, options: Options = Options()) {
    self.vocabulary = vocabulary
    self.options = options
    fields = LineFields(floats: floats)
  }

  /// Parses whole lines and appends their points to `batch`, and its rejects what is refused; good lines beside bad stay.
  ///
  /// The last line may lack its newline; it is then taken as whole. If `batch` is empty and the vocabulary is past a bound,
  /// the vocabulary forgets its numbers first.
  ///
  /// - Parameters:
  ///   - bytes: lines, as `LineFramer` cuts them, or all of a datagram or body.
  ///   - now: the time, in nanoseconds, of points that have none; cut to the precision. `unset` marks such points instead.
  ///   - firstLine: the number of the first physical line, for `lines` and rejects.
  /// - Returns: the physical lines in `bytes` (newlines, and one more if the last byte is none).
  @discardableResult public func parse(
    _ bytes: UnsafeRawBufferPointer, now: Int64, firstLine: UInt64 = 1, into batch: LineBatch
  ) -> UInt64 {
    if batch.count == 0 { vocabulary.forgetIfFull() }
    if generation != vocabulary.generation {
      generation = vocabulary.generation
      last = SpellingEntry.none
    }
    guard let address = bytes.baseAddress, bytes.count > 0 else { return 0 }
    // The caller keeps the bytes for the call; `end` is one past them, and no pointer made below leaves them.
    let start = unsafe address.assumingMemoryBound(to: UInt8.self)
    let end = unsafe start + bytes.count
    // Before `lastNewline` every scan that stops at a newline stays inside without looking at its index.
    let fastEnd = unsafe CShims_pastLast(start, end, Escaping.newline)
    let time = now == Self.unset ? now : options.precision.truncate(now)
    var (position, line) = unsafe (start, firstLine)
    while unsafe position < end {
      if unsafe position < fastEnd {
        var rows = unsafe RowCursor(batch)
        unsafe parseFast(&position, fastEnd, time, &line, &rows, batch)
        // A new series mostly has the fields of the one before it.
        while unsafe position < fastEnd && learnSeries(&position, fastEnd, time, &line, &rows, batch) {
          unsafe parseFast(&position, fastEnd, time, &line, &rows, batch)
        }
        unsafe rows.store(to: batch)
      }
      if unsafe position >= fastEnd && parseTail(position, end, time, &line, batch) { break }
      if unsafe position < end { unsafe position = parseGeneral(position, end, time, &line, batch) }
    }
    return line - firstLine
  }

  /// Tries the fast way on a last line without newline, as datagrams have: on a copy that gets one.
  private func parseTail(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ now: Int64, _ line: inout UInt64, _ batch: LineBatch
  ) -> Bool {
    let count = unsafe end - start
    // A carriage return would become part of the line's end by the newline.
    guard unsafe count > 0 && count <= Self.tailByteCountMax && end[-1] != UInt8(ascii: "\r") else { return false }
    tail.reset()
    unsafe tail.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
    tail.append(Escaping.newline)
    let copyEnd = unsafe UnsafePointer(tail.base) + tail.count
    var position = unsafe UnsafePointer(tail.base)
    var rows = unsafe RowCursor(batch)
    unsafe parseFast(&position, copyEnd, now, &line, &rows, batch)
    unsafe rows.store(to: batch)
    return unsafe position == copyEnd
  }

  /// A datagram's bytes; longer tails go the general way.
  private static let tailByteCountMax = 65_536
}
