import LineProtocol
import Storage

extension StatementResult {
  /// Places that are named one by one.
  private static let namedCountMax = 20
  private static let lossPrefix = "left out as damaged: "

  /// Whether the answer is partial because of damage.
  public var lacksDamaged: Bool { messages.contains { $0.text.hasPrefix(Self.lossPrefix) } }

  /// Says what the answer lacks: as messages, or, where an answer that lacks something is none, as why the statement failed.
  mutating func takeLoss(_ leftOut: LeftOut, isStrict: Bool) {
    let pieces = leftOut.all
    var texts = pieces.prefix(Self.namedCountMax).map(\.text)
    if pieces.count > texts.count { texts.append("\(pieces.count - texts.count) more places") }
    if isStrict {
      return fail("the answer would lack what is damaged: \(texts[0])")
    }
    isPartial = true
    messages += texts.map { ResultMessage(level: "warning", text: Self.lossPrefix + $0) }
  }
}

extension LeftOut.Piece {
  /// "cpu,host=a from 2026-11-20T00:00:00Z to 2026-11-21T00:00:00Z: tables/…:4096: checksum …; run `varve repair`"
  var text: String {
    var out: [UInt8] = []
    if let firstSeries, let key = SeriesKey(validating: firstSeries) {
      let parts = key.parts
      out += parts.measurement
      for tag in parts.tags { out += Array(",".utf8) + tag.key + Array("=".utf8) + tag.value }
      if seriesCount > 1 { out += Array(" and \(seriesCount - 1) more series".utf8) }
    } else {
      out += measurement ?? Array("everything".utf8)
    }
    out += Array(" from ".utf8)
    out.appendRFC3339(window.lowerBound)
    out += Array(" to ".utf8)
    out.appendRFC3339(window.upperBound)
    return String(decoding: out, as: UTF8.self) + ": \(error); run `varve repair`"
  }
}
