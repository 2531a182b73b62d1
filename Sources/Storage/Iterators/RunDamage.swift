/// What of one measurement a run is known not to be able to give.
package struct RunDamage: Sendable, Equatable {
  /// Some series, of which rows cannot be read.
  package struct Series: Sendable, Equatable {
    package var ordinals: Range<UInt32>
    package var error: StorageError

    package init(ordinals: Range<UInt32>, error: StorageError) {
      self.ordinals = ordinals
      self.error = error
    }
  }

  /// Where nothing of the measurement can be told: why.
  package var whole: StorageError?
  package var series: [Series] = []

  package init(whole: StorageError? = nil) { self.whole = whole }

  package var isNone: Bool { whole == nil && series.isEmpty }

  /// Why rows of a series cannot be read; `nil` where they can.
  package func error(of ordinal: UInt32) -> StorageError? {
    whole ?? series.first { $0.ordinals.contains(ordinal) }?.error
  }
}
