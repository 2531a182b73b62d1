/// A `SELECT` whose names are expanded and whose calls are sorted out; the same for every measurement.
struct SelectPlan {
  struct OutputColumn {
    var name: String
    var expression: ValueExpression
  }

  /// Where the values of a stream come from.
  enum StreamInput: Hashable {
    /// Index in `references`: the rows themselves.
    case rows(Int)
    case call(AggregateCall)
  }

  /// One column of values by time, before outputs are computed.
  struct StreamPlan: Hashable {
    var input: StreamInput
    var transform: Transform?
    /// The name it has in messages.
    var function: String
  }

  /// All names of all sources: what one of them lacks is filled like an empty bucket, what all lack is not.
  var schema = MeasurementSchema()
  var outputs: [OutputColumn] = []
  /// Names read as they are. Slots of a raw statement; of others, those after the streams.
  var references: [Reference] = []
  /// Slots of a statement with calls.
  var streams: [StreamPlan] = []
  var grouping = Grouping()
  var fill = Fill.null
  var isDescending = false
  var limit = 0
  var offset = 0

  /// Whether the streams are some of a larger statement's.
  var isPart = false

  /// What the values of a stream are of.
  func argument(of stream: StreamPlan) -> Reference {
    switch stream.input {
    case .rows(let index): references[index]
    case .call(let call): call.argument
    }
  }

  /// Whether rows are answered as they are.
  var isRaw: Bool { streams.isEmpty }
  /// Whether the points that a selector picks bring other fields along.
  var hasAuxiliaries: Bool { !isRaw && !auxiliaries.isEmpty }
  /// The references that are slots after the streams.
  var auxiliaries: [Reference] = []
  /// Rows that each series of the answer needs at most; `nil`: all.
  var rowCountNeeded: Int? { limit == 0 ? nil : limit.addingReportingOverflow(offset).partialValue }

  /// Whether the only call is a selector without buckets: its answer has the point's own time.
  var keepsPointTime: Bool {
    guard grouping.interval == 0, streams.count == 1, !isPart, case .call(let call) = streams[0].input,
      streams[0].transform == nil
    else { return false }
    return call.function.isSelector
  }
}
