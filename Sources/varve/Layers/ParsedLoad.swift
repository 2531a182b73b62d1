import LineProtocol

/// Lines of a workload and what the parser makes of them: what layers are given, and the sum that what they make is held to.
final class ParsedLoad {
  let source: ByteSource
  /// Whole lines, some 3,000 each, as a receiver reads them.
  let pieces: [Range<Int>]
  /// One a piece.
  let batches: [LineBatch]
  let vocabulary = Vocabulary()
  let lineCount: Int
  let valueCount: Int
  /// Of all values, where they are integers; found in the text by other code than the parser's.
  let sum: Int64

  /// - Parameter lineCount: about so many; the workload is shortened to them.
  init(_ name: String, lineCount: Int) throws {
    guard var workload = Workload.named(name) else { throw UsageError("there is no workload \(name)") }
    let ticks = min(max(lineCount / workload.hostCount, 1), workload.tickCount)
    workload.secondCount = ticks * workload.intervalSeconds
    let source = try ByteSource(workload)
    self.source = source
    self.lineCount = workload.lineCount
    valueCount = workload.valueCount
    pieces = stride(from: 0, to: source.byteCount, by: 1 << 20).map {
      source.lineStart(near: $0)..<source.lineStart(near: $0 + 1 << 20)
    }
    let parser = LineParser(vocabulary: vocabulary)
    batches = pieces.map { piece in
      let batch = LineBatch()
      unsafe parser.parse(source.lines(piece), now: 0, firstLine: 1, into: batch)
      return batch
    }
    sum = source.sumOfIntegers()
  }

  /// The values of every field of every series, each in order of time: of measurements whose lines all have the same fields.
  func columns() -> [[UInt64]] {
    let fieldCount = valueCount / lineCount
    var columns = [[UInt64]](repeating: [], count: vocabulary.seriesCount * fieldCount)
    for batch in batches {
      for row in 0..<batch.count {
        let first = Int(batch.series[row]) * fieldCount
        for field in 0..<fieldCount { columns[first + field].append(batch.values[row * fieldCount + field]) }
      }
    }
    return columns
  }

  /// The timestamps of every series.
  func timestamps() -> [[UInt64]] {
    var columns = [[UInt64]](repeating: [], count: vocabulary.seriesCount)
    for batch in batches {
      for row in 0..<batch.count {
        columns[Int(batch.series[row])].append(UInt64(bitPattern: batch.timestamps[row]))
      }
    }
    return columns
  }
}

extension ByteSource {
  /// The bytes of a range.
  func lines(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    // The range is checked by the slice.
    unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  /// The sum of what stands between `=` and `i` after the first space of each line.
  fileprivate func sumOfIntegers() -> Int64 {
    var (sum, value, sign) = (Int64(0), Int64(0), Int64(1))
    var (isInFields, isInNumber) = (false, false)
    for index in 0..<byteCount {
      // Within the bytes by the loop's bounds.
      let byte = unsafe bytes[index]
      switch byte {
      case UInt8(ascii: "\n"): isInFields = false
      case UInt8(ascii: " "): isInFields = !isInFields
      case UInt8(ascii: "=") where isInFields: (value, sign, isInNumber) = (0, 1, true)
      case UInt8(ascii: "-") where isInNumber: sign = -1
      case UInt8(ascii: "0")...UInt8(ascii: "9") where isInNumber: value = value &* 10 &+ Int64(byte - 48)
      case UInt8(ascii: "i") where isInNumber: (sum, isInNumber) = (sum &+ sign &* value, false)
      default: isInNumber = false
      }
    }
    return sum
  }
}
