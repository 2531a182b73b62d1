/// Checks one table against itself and against what the manifest says of it.
struct TableCheck {
  let keyspace: KeyspaceState
  let window: WindowState
  let run: RunState
  let table: TableState

  var name: String { tableFileName(keyspace: keyspace.id, windowStart: window.start, number: table.number) }

  /// All that is wrong: the first broken invariant, and every block whose checksum does not hold.
  func problems(in fileSystem: any FileSystem) -> [StorageError] {
    let opened: Table
    do throws(StorageError) {
      opened = try Table.open(
        file: fileSystem.open(name), state: table, cache: BlockCache(byteCountMax: 16 << 20))
    } catch {
      return [
        error.code == .notFound
          ? StorageError(.corrupt, file: name, offset: 0, "the file is not there") : error
      ]
    }
    do throws(StorageError) {
      try opened.verify()
      try checkPlace(opened, opened.properties())
      return []
    } catch {
      return opened.damagedBlocks(after: error)
    }
  }

  private func checkPlace(_ opened: Table, _ properties: TableProperties) throws(StorageError) {
    func check(_ holds: Bool, _ expected: String, _ found: String) throws(StorageError) {
      if !holds {
        throw StorageError(
          .corrupt, file: name, offset: opened.footer.properties.offset,
          "properties: the manifest says \(expected), found \(found)")
      }
    }
    // Keyspace and number are those of its writing: a restored table has others.
    try check(
      properties.windowStart == window.start && properties.windowEnd == window.end,
      "window \(window.start) to \(window.end)", "\(properties.windowStart) to \(properties.windowEnd)")
    try check(
      properties.firstSequence >= run.firstSequence && properties.lastSequence <= run.lastSequence,
      "batches \(run.firstSequence)…\(run.lastSequence)",
      "\(properties.firstSequence)…\(properties.lastSequence)")
    try check(
      table.firstTimestamp >= window.start && table.lastTimestamp < window.end,
      "window \(window.start) to \(window.end)", "times \(table.firstTimestamp) to \(table.lastTimestamp)")
  }
}

extension Table {
  /// An error, and every other block whose checksum does not hold, as far as directory and index tell where blocks lie.
  func damagedBlocks(after first: StorageError) -> [StorageError] {
    var found = [first]
    do throws(StorageError) {
      for block in try blocks() {
        do throws(StorageError) {
          _ = try source.block(block.handle, isKept: false)
        } catch {
          if !found.contains(error) { found.append(error) }
        }
      }
    } catch {
      if !found.contains(error) { found.append(error) }
    }
    return found
  }
}
