/// Reads a run's series around what is hidden: one stretch of shown time after another.
final class MaskedReader: RunReader {
  private let base: any RunReader
  private let makeMasks: () throws(StorageError) -> MeasurementMasks
  private var masks: MeasurementMasks?
  private var ordinal: UInt32 = 0
  private var descending = false
  /// Stretches still to be read, the next one last.
  private var rest: [Range<Int64>] = []
  private var isReading = false

  init(_ base: any RunReader, masks: @escaping () throws(StorageError) -> MeasurementMasks) {
    self.base = base
    makeMasks = masks
  }

  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) {
    let masks = if let masks { masks } else { try makeMasks() }
    self.masks = masks
    self.ordinal = ordinal
    self.descending = descending
    rest = masks[ordinal].visible(in: times)
    if !descending { rest.reverse() }
    try beginNext()
  }

  func next() throws(StorageError) -> RowGroupSpan? {
    while isReading {
      if let span = try base.next() { return span }
      try beginNext()
    }
    return nil
  }

  func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? { try base.statistics(column) }

  func stretchValues(_ column: Int) throws(StorageError) -> StretchValues? { try base.stretchValues(column) }

  func read(into batch: inout ColumnBatch) throws(StorageError) { try base.read(into: &batch) }

  func read(
    into batch: inout ColumnBatch, deciding: [Bool], _ choose: (borrowing ColumnBatch) -> [UInt64]
  ) throws(StorageError) -> Bool {
    try base.read(into: &batch, deciding: deciding, choose)
  }

  var unmasked: any RunReader { base.unmasked }

  var counts: RowGroupCounts? { base.counts }

  func stretchByteCount() throws(StorageError) -> UInt64 { try base.stretchByteCount() }

  private func beginNext() throws(StorageError) {
    guard let times = rest.popLast() else {
      isReading = false
      return
    }
    isReading = true
    try base.begin(ordinal, times: times, descending: descending)
  }
}
