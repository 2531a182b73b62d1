import LineProtocol

/// The core of `varve parse`: what `input` holds as JSON lines, and whether a line was refused (exit status 1).
///
/// `precision` and `carriageReturn` are the flags `--precision` and `--crlf`; lines longer than the default limit are refused.
func runParse(
  input: [UInt8], precision: Precision, carriageReturn: CarriageReturnMode
) -> (output: [UInt8], hadRejects: Bool) {
  var report = LineReport(options: .init(precision: precision, carriageReturn: carriageReturn))
  var output: [UInt8] = []
  unsafe input.withUnsafeBytes { unsafe report.append($0, to: &output) }
  return (output, report.rejectCount > 0)
}
