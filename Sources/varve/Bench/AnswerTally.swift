import CShims
import Query

/// What is counted of the bytes of an answer as they come.
final class AnswerTally {
  private(set) var byteCount = 0
  private(set) var checksum: UInt32 = 0
  /// All bytes, where they are kept to be read.
  private(set) var bytes: [UInt8] = []
  private let isKept: Bool

  init(isKept: Bool = false) { self.isKept = isKept }

  func take(_ piece: RawSpan) {
    byteCount += piece.byteCount
    // Inside the closure only; the length is the span's.
    unsafe piece.withUnsafeBytes { piece in
      guard let base = piece.baseAddress else { return }
      unsafe checksum = CShims_crc32c(checksum, base, piece.count)
      if isKept {
        unsafe bytes.append(contentsOf: piece)
      }
    }
  }

  /// The checksum as eight hexadecimal digits.
  var checksumText: String {
    let digits = String(checksum, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }

  /// The result rows in the kept bytes: lines after the header of CSV, rows of an InfluxQL document, samples of VictoriaMetrics.
  ///
  /// - Throws: `CommandFailure` where the answer is an error or no such document.
  func rowCount(_ question: Question, _ language: Question.Language) throws -> Int {
    do {
      switch language {
      case .influxql where question.isExport:
        return max(bytes.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) } - 1, 0)
      case .influxql:
        let document = try ResultDocument(bytes)
        if let error = document.error ?? document.results.compactMap(\.error).first {
          throw CommandFailure(error)
        }
        return document.results.reduce(0) { $0 + $1.series.reduce(0) { $0 + $1.rowCount } }
      case .metricsql:
        var reader = JSONReader(bytes)
        var count = 0
        while !reader.isAtEnd { count += try Self.samples(in: &reader) }
        return count
      }
    } catch let error as JSONSyntaxError {
      throw CommandFailure("\(question.name): \(error)")
    }
  }

  /// The samples of a document, or of a line of an export.
  private static func samples(in reader: inout JSONReader) throws(JSONSyntaxError) -> Int {
    var count = 0
    try reader.readObject { key, reader throws(JSONSyntaxError) in
      switch key {
      case "data": count += try samples(in: &reader)
      case "result":
        try reader.readArray { reader throws(JSONSyntaxError) in count += try samples(in: &reader) }
      case "values":
        try reader.readArray { reader throws(JSONSyntaxError) in
          count += 1
          try reader.skipValue()
        }
      case "value":
        count += 1
        try reader.skipValue()
      default: try reader.skipValue()
      }
    }
    return count
  }
}
