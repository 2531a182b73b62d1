import LineProtocol
import Storage

/// What is owed to a sender that wrote `# ack TOKEN`: counts since the last token, and the ticket that decides it.
struct Acknowledgement {
  /// Refused lines that an answer names.
  static let rejectCountMax = 100
  /// The longest answer line, bytes, its newline included.
  static let lineByteCountMax = 1_024

  var token: [UInt8]
  /// Of the last batch before the token.
  var ticket: Ticket
  var acceptedCount: Int
  var rejectedCount: Int
  /// The first of the refused lines.
  var rejects: [Reject]
  /// A batch before the token that could not be logged at all.
  var failure: StorageError?

  /// The answer's lines once the ticket is decided.
  func answer(_ state: TicketState) -> [UInt8] {
    var failure = failure
    if case .failed(let error) = state { failure = error }
    if let failure {
      return Self.line("fail ", token, reason: failure.description)
    }
    var out: [UInt8] = []
    for reject in rejects.prefix(Self.rejectCountMax) {
      out += Self.line("reject line=\(reject.line) column=\(reject.column)", [], reason: reject.message)
    }
    out += "ok ".utf8
    out += token
    out += " accepted=\(acceptedCount) rejected=\(rejectedCount)\n".utf8
    return out
  }

  /// `PREFIX TOKEN reason="…"`, escaped, cut so that it fits.
  private static func line(_ prefix: String, _ token: [UInt8], reason: String) -> [UInt8] {
    var out = Array(prefix.utf8) + token + Array(" reason=\"".utf8)
    let digits = Array("0123456789abcdef".utf8)
    for byte in reason.utf8 {
      if out.count + 6 > lineByteCountMax { break }
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
      case 0..<0x20, 0x7f: out += Array("\\x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      default: out.append(byte)
      }
    }
    return out + Array("\"\n".utf8)
  }
}
