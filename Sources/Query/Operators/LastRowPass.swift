import LineProtocol
import Storage

/// Keeps the last row of each group beside those of the others: the sink of `ORDER BY time DESC LIMIT 1` where each group is one series in
/// a window, so that nothing has to be merged.
final class LastRowPass: ScanSink {
  /// A group has several series in one window, or there is no memory to hold all rows at once: what `RowPass` is for.
  struct Unsuited: Error {}

  private let account: QueryAccount
  /// Groups, and bytes of strings, that memory was taken for; all of it.
  private var roomGroupCount = 0
  private var roomTextByteCount = 0
  private var takenByteCount = 0
  private static let roomGroupCountMin = 128
  private static let roomTextByteCountMin = 1 << 14
  private let slots: [Int?]
  private let required: [Int]
  private let tagPlaces: TagPlaces
  private(set) var groups: GroupTable
  /// By group: its row, and the window that had it.
  private var found: [(row: Int, window: Int)?] = []
  private var rows: Rows
  private var group = 0
  private var window = 0
  private var tags = SeriesTags([], 0..<0)

  init(_ contents: [RowContent], tagKeys: [[UInt8]], account: QueryAccount) {
    self.account = account
    slots = contents.map(\.slot)
    required = Array(Set(slots.compactMap { $0 })).sorted()
    tagPlaces = TagPlaces(contents)
    groups = GroupTable(tagKeys: tagKeys)
    rows = Rows(columns: contents.map { Column.absent($0.type) })
  }

  private struct Rows {
    var timestamps: [Int64] = []
    var columns: [Column]
    var textByteCount = 0

    mutating func append(
      _ batch: borrowing ColumnBatch, _ row: Int, slots: [Int?], _ tagPlaces: TagPlaces, _ tags: SeriesTags
    ) {
      let count = timestamps.count
      for (index, slot) in slots.enumerated() {
        guard let slot else { continue }
        if !batch.columns[slot].isPresent(row) {
          columns[index].appendNull(rowCount: count)
        } else if columns[index].key.type == .string {
          append(text: batch.columns[slot].string(row), to: index, count)
        } else {
          columns[index].append(word: batch.columns[slot].values[row], rowCount: count)
        }
      }
      tagPlaces.visit(tags) { place, value in
        // InfluxDB knows no empty tag.
        if let value, !value.isEmpty { append(text: tags.bytes[value], to: place, count) } else { columns[place].appendNull(rowCount: count) }
      }
      timestamps.append(batch.timestamps[row])
    }

    private mutating func append(text: ArraySlice<UInt8>, to column: Int, _ count: Int) {
      textByteCount += text.count
      columns[column].append(text: text, rowCount: count)
    }
  }

  /// By row.
  var timestamps: [Int64] { rows.timestamps }
  var columns: [Column] { rows.columns }

  /// The row of a group, if there is one.
  func row(of group: Int) -> Int? { found[group]?.row }

  /// Takes memory for the groups and strings that there are, ahead of them and twice: rows are copied into the order of the answer.
  private func makeRoom() throws(Unsuited) {
    if groups.count > roomGroupCount {
      let count = max(Self.roomGroupCountMin, roomGroupCount)
      try take(count * (64 + 16 * (slots.count + groups.tagKeys.count + 1)))
      roomGroupCount += count
    }
    while rows.textByteCount > roomTextByteCount {
      let count = max(Self.roomTextByteCountMin, roomTextByteCount)
      try take(2 * count)
      roomTextByteCount += count
    }
  }

  private func take(_ byteCount: Int) throws(Unsuited) {
    do throws(QueryFailure) { try account.add(byteCount) } catch { throw Unsuited() }
    takenByteCount += byteCount
  }

  /// Gives back what was taken, for who starts anew.
  func giveBack() throws(QueryFailure) {
    try account.add(-takenByteCount)
    takenByteCount = 0
  }

  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool {
    group = groups.number(of: tags)
    if group == found.count { found.append(nil) }
    if let known = found[group] {
      // One of a later window is the last in any case.
      if known.window == window { throw Unsuited() }
      return false
    }
    try makeRoom()
    self.tags = tags
    return true
  }

  var wantsLastRow: Bool { found[group] == nil }

  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool {
    guard let row = lastRow(of: batch, selection) else { return true }
    found[group] = (rows.timestamps.count, window)
    rows.append(batch, row, slots: slots, tagPlaces, tags)
    try makeRoom()
    return false
  }

  /// The last row that is selected and has a value in a required column.
  private func lastRow(of batch: borrowing ColumnBatch, _ selection: [UInt64]?) -> Int? {
    guard let words = batch.chosen(required, selection) else { return batch.count > 0 ? batch.count - 1 : nil }
    guard let index = words.lastIndex(where: { $0 != 0 }) else { return nil }
    return index * 64 + 63 - words[index].leadingZeroBitCount
  }

  func endWindow() throws -> Bool {
    window += 1
    return true
  }
}
