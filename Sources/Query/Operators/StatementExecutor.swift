import LineProtocol
import Storage

/// Runs one statement.
struct StatementExecutor {
  let catalog: any Catalog
  let sink: (any PointSink)?
  let registry: QueryRegistry
  let request: QueryRequest
  let limits: QueryLimits
  /// Takes pieces of long answers; `nil`: they are answered whole.
  var emitter: PieceEmitter?

  func run(_ statement: Statement, into result: inout StatementResult) throws {
    let definitions = DefinitionExecutor(catalog: catalog)
    switch statement {
    case .select(let select):
      if let target = select.target {
        let into = IntoExecutor(
          select: SelectExecutor(catalog: catalog, request: request, limits: limits), sink: sink)
        result.series = [try into.run(select, target, messages: &result.messages)]
        return
      }
      let executor = SelectExecutor(catalog: catalog, request: request, limits: limits)
      let planned = try executor.plan(select)
      if request.takesSingleRows, try executor.takeSingleRows(planned, into: &result) { return }
      if let emitter, RowStream.suits(planned) {
        let stream = RowStream(planned: planned, limits: limits, isCancelled: request.isCancelled, emitter: emitter)
        result.messages += try stream.run()
        return
      }
      let answer = try executor.run(planned)
      result.series = answer.series
      result.messages += answer.messages
    case .explain(let select, let isAnalyze): result.series = [try explain(select, isAnalyze: isAnalyze)]
    case .show(let show):
      result.chunking = show.chunking
      result.series = try ShowExecutor(catalog: catalog, registry: registry, request: request).run(show)
    case .createDatabase(let name, let policy): try definitions.createDatabase(name, policy)
    case .dropDatabase(let name): try definitions.dropDatabase(name)
    case .createPolicy(let policy): try definitions.createPolicy(policy)
    case .alterPolicy(let policy): try definitions.alterPolicy(policy)
    case .dropPolicy(let name, let database): try definitions.dropPolicy(name, database)
    case .deletion(let statement): try DeletionExecutor(catalog: catalog, request: request).run(statement)
    case .explainDeletion(let statement):
      result.series = [try DeletionExecutor(catalog: catalog, request: request).explain(statement)]
    case .killQuery(let id, _):
      guard registry.kill(id) else { throw QueryFailure("no such query id: \(id)") }
    case .dropShard(let id): try definitions.dropShard(id)
    case .unsupported(let words): throw QueryFailure("\(words) is not supported")
    }
  }

  /// What would be looked at, in words; with `ANALYZE` the statement is run, and what was read is counted.
  private func explain(_ select: SelectStatement, isAnalyze: Bool) throws -> ResultSeries {
    let executor = SelectExecutor(catalog: catalog, request: request, limits: limits)
    var lines = ["STATEMENT: \(select)"]
    if isAnalyze {
      let start = ContinuousClock.now
      let answer = try executor.run(select)
      lines.append("TIME: \(ContinuousClock.now - start)")
      lines += answer.counters.lines
      lines += leftOutLines
      lines += [
        "RESULT SERIES: \(answer.series.count)",
        "RESULT ROWS: \(answer.series.reduce(0) { $0 + $1.rowCount })",
      ]
    } else {
      lines += try executor.outline(select)
      lines += leftOutLines
    }
    return ListBuilder.names("", isAnalyze ? "EXPLAIN ANALYZE" : "QUERY PLAN", lines.map { Array($0.utf8) })
  }

  private var leftOutLines: [String] { request.leftOut.all.map { "LEFT OUT AS DAMAGED: \($0.text)" } }
}
