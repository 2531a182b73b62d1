import LineProtocol
import TestSupport
import Testing

/// What a framer says, with runs of lines joined.
private enum Event: Equatable, CustomStringConvertible {
  case lines([UInt8])
  case token(String)
  case refused(RejectReason, text: [UInt8])

  var description: String {
    switch self {
    case .lines(let bytes): "lines \(String(decoding: bytes, as: UTF8.self).debugDescription)"
    case .token(let token): "token \(token)"
    case .refused(let reason, let text):
      "refused \(reason) \(String(decoding: text, as: UTF8.self).debugDescription)"
    }
  }
}

@Suite("Framer")
struct FramerTests {
  /// Feeds the reads to a framer; also says how many physical lines the pieces stated, those of `.lines` counted here.
  private func events(_ reads: [ArraySlice<UInt8>], limit: Int, isStrict: Bool = false) -> (
    events: [Event], lineCount: Int
  ) {
    var framer = LineFramer(
      options: .init(carriageReturn: isStrict ? .strict : .strip, lineByteCountMax: limit))
    var (buffer, out, lineCount) = ([UInt8](), [Event](), 0)
    for (index, read) in reads.enumerated() {
      buffer += read
      drain: while true {
        let piece = buffer.withUnsafeBytes { framer.next($0, isLast: index == reads.count - 1) }
        let front = Array(buffer[..<piece.byteCount])
        switch piece.kind {
        case .lines:
          lineCount += front.filter { $0 == UInt8(ascii: "\n") }.count
          if case .lines(let before)? = out.last {
            out[out.count - 1] = .lines(before + front)
          } else {
            out.append(.lines(front))
          }
        case .acknowledge(let token): out.append(.token(String(decoding: front[token], as: UTF8.self)))
        case .refused(let reject): out.append(.refused(reject.reason, text: reject.text))
        case .skipped: break
        case .incomplete: break drain
        }
        lineCount += Int(piece.newlineCount)
        buffer.removeFirst(piece.byteCount)
      }
      precondition(buffer.count < limit + 8, "keeps \(buffer.count) bytes")
    }
    return (out, lineCount)
  }

  /// The dull model: byte by byte over the whole stream.
  private func model(_ bytes: [UInt8], limit: Int) -> [Event] {
    var (out, start) = ([Event](), 0)
    func lines(_ more: ArraySlice<UInt8>) {
      if case .lines(let before)? = out.last {
        out[out.count - 1] = .lines(before + more)
      } else if !more.isEmpty {
        out.append(.lines(Array(more)))
      }
    }
    while start < bytes.count {
      let (end, isQuoted) = modelEnd(bytes, start, limit)
      if end - start > limit {
        out.append(
          .refused(isQuoted ? .syntax : .tooLong, text: Array(bytes[start..<start + limit].prefix(256))))
        let newline = bytes[(start + limit)...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        start = newline + 1
        continue
      }
      var text = bytes[start..<end]
      if text.last == UInt8(ascii: "\r") { text.removeLast() }
      let token = text.dropFirst(6)
      if text.starts(with: "# ack ".utf8), (1...64).contains(token.count),
        token.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
      {
        out.append(.token(String(decoding: token, as: UTF8.self)))
      } else {
        lines(bytes[start..<min(end + 1, bytes.count)])
      }
      start = end + 1
    }
    return out
  }

  /// Where the line that begins at `start` ends (its newline or the stream's end; more than `limit` past it: too long).
  private func modelEnd(_ bytes: [UInt8], _ start: Int, _ limit: Int) -> (Int, isQuoted: Bool) {
    var (index, isQuoted, isField, equals, commas) = (start, false, false, 0, 0)
    var first = start
    while first < bytes.count, [0x20, 0x09, 0x00].contains(bytes[first]) { first += 1 }
    let isComment = first < bytes.count && bytes[first] == UInt8(ascii: "#")
    while index < bytes.count && index - start <= limit {
      let byte = bytes[index]
      if isComment {
        if byte == UInt8(ascii: "\n") { return (index, false) }
        index += 1
        continue
      }
      let newline = byte == UInt8(ascii: "\\") ? index + 1 : index
      if newline < bytes.count && bytes[newline] == UInt8(ascii: "\n") {
        if byte == UInt8(ascii: "\n") && !isQuoted { return (index, false) }
        if newline - start <= limit && bytes[(newline + 1)...].starts(with: "# ack ".utf8) {
          return (newline, false)
        }
      }
      if byte == UInt8(ascii: "\\") {
        index += 2
        continue
      }
      if byte == UInt8(ascii: " ") { isField = true }
      if isField {
        if !isQuoted && byte == UInt8(ascii: "=") { equals += 1 }
        if !isQuoted && byte == UInt8(ascii: ",") { commas += 1 }
        if byte == UInt8(ascii: "\"") && equals > commas { isQuoted.toggle() }
      }
      index += 1
    }
    return (min(index, max(bytes.count, start)), isQuoted)
  }

  /// What the parser makes of the lines: one that is too long but came whole in one read is left to it, and refused by it.
  private func parsed(_ events: [Event], _ limit: Int) -> [Event] {
    var out: [Event] = []
    for event in events {
      guard case .lines(let lines) = event else {
        out.append(event)
        continue
      }
      for part in model(lines, limit: limit) {
        if case .lines(let more) = part, case .lines(let before)? = out.last {
          out[out.count - 1] = .lines(before + more)
        } else {
          out.append(part)
        }
      }
    }
    return out
  }

  @Test(
    "agrees with the model over random streams, reads and limits", .tags(.property),
    arguments: 1...8 as ClosedRange<UInt64>)
  func randomStreams(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let parts = [
      "m f=1\n", "m,t=a f=\"x", "\"", "\n", "\\", " ", ",", "=", "# ack ", "7", "\n# ack 12\n", "# ack a b\n",
      "#", "\r\n", "abc",
      "m f=\"a\nb\"\n", "long,tag=value field=123i 1700000000\n", "\t", "# ack \u{1}\n", "\n# ac", "\\\"",
      "\\\n",
    ].map { Array($0.utf8) }
    for _ in 0..<600 {
      let bytes = (0..<Int.random(in: 0...24, using: &random)).flatMap { _ in
        parts.randomElement(using: &random) ?? []
      }
      let limit = [10, 20, 40, 1_000].randomElement(using: &random) ?? 10
      var reads: [ArraySlice<UInt8>] = []
      var start = 0
      while start < bytes.count {
        let end = min(start + Int.random(in: 1...12, using: &random), bytes.count)
        reads.append(bytes[start..<end])
        start = end
      }
      reads.append([])
      let expected = parsed(model(bytes, limit: limit), limit)
      let (pieces, lineCount) = events(reads, limit: limit)
      let found = parsed(pieces, limit)
      let isCounted =
        lineCount == bytes.filter { $0 == UInt8(ascii: "\n") }.count
        || lineCount == bytes.filter { $0 == UInt8(ascii: "\n") }.count + 1
      if found != expected || !isCounted {
        Issue.record(
          "seed \(seed), limit \(limit), \(String(decoding: bytes, as: UTF8.self).debugDescription): \(found) expected \(expected); \(lineCount) lines"
        )
        return
      }
    }
  }

  @Test("an open quote ends where an acknowledgement is asked for, however the stream is cut")
  func openQuote() {
    let bytes = Array("m f=\"open\nm f=2\n# ack t1\nm f=3\n# ack t2\n".utf8)
    for cut in 0...bytes.count {
      let (outcome, tokens) = parseFramed([bytes[..<cut], bytes[cut...]], .init())
      #expect(tokens == ["t1", "t2"])
      #expect(outcome.points.map(\.line) == [4])
      #expect(outcome.rejects.map(\.message) == ["unbalanced quotes"])
      #expect(outcome.rejects.map(\.line) == [1])
    }
  }

  @Test("a line of the limit passes, one byte more is refused once and the next line is read")
  func limit() {
    let limit = 64
    func line(_ count: Int) -> [UInt8] {
      Array(("m f=" + String(repeating: "1", count: count - 6) + ".0").utf8)
    }
    let bytes =
      line(limit) + Array("\n".utf8) + line(limit + 1) + Array("\nm f=2\n".utf8) + line(300)
      + Array("\nm f=3".utf8)
    let options = LineParser.Options(lineByteCountMax: limit)
    let whole = parseWhole(bytes, options)
    #expect(whole.points.map(\.line) == [1, 3, 5])
    #expect(whole.rejects.map(\.line) == [2, 4])
    #expect(whole.rejects.map(\.reason) == [.tooLong, .tooLong])
    #expect(whole.rejects.map(\.column) == [65, 65])
    for size in [1, 7, 64, 65, 66, 1_000] {
      let reads = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
      #expect(parseFramed(reads, options).0 == whole, "reads of \(size)")
    }
  }

  @Test("an endless quoted string is refused at the limit and the stream goes on")
  func endlessString() {
    let bytes = Array(("m f=\"" + String(repeating: "x\n", count: 100) + "\nm f=2\n").utf8)
    let options = LineParser.Options(lineByteCountMax: 50)
    let (outcome, _) = parseFramed([bytes[...], []], options)
    #expect(outcome == parseWhole(bytes, options))
    #expect(outcome.rejects.first?.message == "unbalanced quotes")
    #expect(outcome.points.count == 1)
  }

  @Test(
    "only one printable word of at most 64 bytes is a token",
    arguments: [
      ("# ack a", "a"), ("# ack ", nil), ("# ack", nil), ("# ack a b", nil), (" # ack a", nil),
      ("# ack é", nil), ("#ack a", nil),
      ("# ack " + String(repeating: "x", count: 64), String(repeating: "x", count: 64)),
      ("# ack " + String(repeating: "x", count: 65), nil), ("# ack a\r", "a"), ("# ack #", "#"),
      ("# ack \u{7f}", nil),
    ] as [(String, String?)])
  func tokens(line: String, token: String?) {
    let bytes = Array((line + "\nm f=1\n").utf8)
    let (outcome, tokens) = parseFramed([bytes[...], []], .init())
    #expect(tokens == (token.map { [$0] } ?? []))
    #expect(outcome.points.map(\.line) == [2])
    #expect(outcome.rejects.isEmpty)
  }
}
