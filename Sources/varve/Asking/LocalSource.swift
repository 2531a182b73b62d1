import Query
import Storage

/// A data directory opened for reading, or files in memory: line protocol, tables, CSV, by the endings of their names.
struct LocalSource: QuerySource {
  private let store: Store
  let name: String

  init(_ arguments: Arguments) throws {
    let files = arguments.strings("from")
    name = files.isEmpty ? arguments.text("data") : files.joined(separator: ", ")
    var options = StoreOptions()
    if files.isEmpty {
      options.isReadOnly = true
      store = try Store.open(directory: arguments.text("data"), options: options)
      for error in store.unreadableTables { printError("varve query: \(error); run `varve repair`") }
    } else {
      let tables = try files.filter(Self.holdsTables).flatMap(Self.tables)
      store = try Store.inMemory(tables: tables, database: arguments.text("database"), options: options)
      let place = try ImportPlace(path: nil)
      let target = Importer.Options(database: arguments.text("database"), policy: arguments.string("policy"))
      var importer = Importer(StoreTarget(store), target, rejects: RejectList(path: nil), place: place)
      for file in files where !Self.holdsTables(file) {
        if file.hasSuffix(".csv") || file.hasSuffix(".csv.gz") {
          try importer.takeCSV(file, mapping: "auto")
        } else {
          try importer.take(file)
        }
      }
      try importer.finish()
    }
  }

  private static func holdsTables(_ name: String) -> Bool {
    name.hasSuffix(".sst") || TarReader.isNamed(name)
  }

  private static func tables(of name: String) throws -> [LooseTable] {
    if name.hasSuffix(".sst") { return [LooseTable(path: name)] }
    var tar = TarReader(try InputFile(name))
    var tables: [LooseTable] = []
    while let entry = try tar.next() {
      tables.append(try LooseTable(name: "\(name)(\(entry.name))", bytes: entry.bytes))
    }
    return tables
  }

  func run(_ text: String, _ options: QueryOptions, emit: (StatementResult) throws -> Void) throws {
    var request = QueryRequest(text: text, database: options.database, now: wallNanoseconds())
    request.policy = options.policy ?? ""
    request.isStrict = options.isStrict
    request.isStreamed = options.isInPieces
    request.timeRange = try options.timeRange(now: request.now)
    request.timeZone = options.timeZone
    request.isCancelled = { Interrupt.wasPressed }
    let parameters = BindParameter.json(options.parameters)
    do throws(BindParameters.Failure) {
      request.parameters = try BindParameters.literals(json: Array(parameters.utf8))
    } catch {
      throw UsageError("--param: \(error)")
    }
    try QueryEngine(store: store, isBounded: false).run(request, emit: emit)
  }
}
