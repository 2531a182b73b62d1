import LineProtocol
import Query

/// What a shell's own words change.
struct ShellState {
  var options: QueryOptions
  var format: ResultFormat
  var rendering: RenderOptions
  /// Whether each statement is followed by how long it took.
  var showsTime = false
  /// Whether each answer is drawn too.
  var drawsPlot = false
  var pager: Pager
  /// The last text that was run: what `\watch` repeats.
  var lastText = ""
  var isOver = false

  /// Every setting and what it is, in the order of their words.
  var descriptions: [(name: String, value: String)] {
    [
      ("database", options.database), ("policy", options.policy ?? "(default)"), ("format", format.rawValue),
      ("precision", rendering.precision.map { "\($0)" } ?? "rfc3339"),
      ("pretty", rendering.isPretty ? "on" : "off"),
      ("time", options.time ?? "(all)"), ("tz", options.timeZone.isEmpty ? "UTC" : options.timeZone),
      ("timing", showsTime ? "on" : "off"), ("plot", drawsPlot ? "on" : "off"),
      ("pager", pager.command.isEmpty ? "off" : pager.command),
    ]
  }
}
