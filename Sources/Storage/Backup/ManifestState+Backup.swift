extension ManifestState {
  /// What it says of some databases only; numbers go on from where they are.
  package func keeping(databases names: Set<String>) -> ManifestState {
    var state = self
    state.databases.removeAll { !names.contains($0) }
    state.keyspaces.removeAll { !names.contains($0.database) }
    state.rules = rules.filter { names.contains($0.key) }
    return state
  }

  /// Every table, with the name of its file.
  package var tableFiles: [(name: String, table: TableState)] {
    keyspaces.flatMap { keyspace in
      keyspace.windows.flatMap { window in
        window.runs.flatMap(\.tables).map { table in
          (tableFileName(keyspace: keyspace.id, windowStart: window.start, number: table.number), table)
        }
      }
    }
  }
}
