/// Damage that is met while the store is open: counted, remembered, left out.
extension Store {
  /// Counts an error that reading met, if it is damage: for the metrics.
  public func noteDamage(_ error: StorageError) {
    damage.note(error) { publisher.version.keyspace($0)?.state.database }
  }

  /// Takes note of damage that reading met in a table, so that it is left out from now on; of what the disk refused to read twice,
  /// so that it is left out for a minute.
  ///
  /// - Returns: whether what met it may be tried again: `false` where it was known, or no table is to blame.
  package func contain(_ error: StorageError) -> Bool {
    guard [.corrupt, .io].contains(error.code), error.file.hasPrefix("tables/") else {
      noteDamage(error)
      return false
    }
    damage.count(error) { publisher.version.keyspace($0)?.state.database }
    if error.code == .io { rereading.noteRefusal() }
    guard let file = publisher.version.tables.first(where: { $0.name == error.file }) else {
      // It was merged, or dropped, meanwhile: a new snapshot does without it.
      return true
    }
    return file.table?.contain(error) ?? false
  }

  /// Lets statements ask the disk again for what it refused.
  static func askAgain(_ publisher: Publisher) {
    for file in publisher.version.tables { file.table?.damages.forgetRefused() }
  }

  /// The tables that could not be opened, each with why: the rest of the store answers.
  public var unreadableTables: [StorageError] { publisher.version.tables.compactMap(\.run.damage) }

  /// Runs a reading of snapshots that leave out what is damaged; again where damage comes to light.
  func containing<Value>(
    _ leftOut: LeftOut, _ body: (LeftOut) throws(StorageError) -> Value
  ) throws(StorageError) -> Value {
    while true {
      do throws(StorageError) {
        return try body(leftOut)
      } catch {
        guard contain(error) else { throw error }
      }
    }
  }
}
