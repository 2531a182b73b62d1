import TestSupport

/// What one writer of the soak has stored, by its series and slots of time: the version of each field, 0 where there is none.
struct SoakModel {
  /// Nanoseconds between the points of a series.
  static let slotLength: Int64 = 50_000_000
  static let seriesCount = 25

  /// What a writer does; the version is the value that it writes.
  enum Operation {
    case write(points: [(series: Int, slot: Int)], version: Int32, v: Bool, w: Bool)
    case delete(series: Int, slots: Range<Int>)
  }

  struct Fields: Equatable {
    var v: Int32 = 0
    var w: Int32 = 0
    var isEmpty: Bool { v == 0 && w == 0 }
  }

  /// The time of slot 0.
  let base: Int64
  private(set) var fields: [[Fields]]

  init(base: Int64) {
    self.base = base
    fields = Array(repeating: [], count: Self.seriesCount)
  }

  func time(_ slot: Int) -> Int64 { base + Int64(slot) * Self.slotLength }

  subscript(series: Int, slot: Int) -> Fields {
    slot < fields[series].count ? fields[series][slot] : Fields()
  }

  mutating func apply(_ operation: Operation) {
    switch operation {
    case .write(let points, let version, let v, let w):
      for point in points {
        grow(point.series, through: point.slot)
        if v { fields[point.series][point.slot].v = version }
        if w { fields[point.series][point.slot].w = version }
      }
    case .delete(let series, let slots):
      for slot in slots.clamped(to: 0..<fields[series].count) { fields[series][slot] = Fields() }
    }
  }

  private mutating func grow(_ series: Int, through slot: Int) {
    let missing = slot + 1 - fields[series].count
    if missing > 0 { fields[series].append(contentsOf: repeatElement(Fields(), count: missing)) }
  }

  /// The operation as it would leave a slot; `nil` where it does not touch it.
  static func outcome(of operation: Operation, series: Int, slot: Int, from before: Fields) -> Fields? {
    switch operation {
    case .write(let points, let version, let v, let w):
      guard points.contains(where: { $0.series == series && $0.slot == slot }) else { return nil }
      return Fields(v: v ? version : before.v, w: w ? version : before.w)
    case .delete(let named, let slots): return named == series && slots.contains(slot) ? Fields() : nil
    }
  }

  /// Takes over what the server shows of an operation whose answer never came.
  mutating func settle(_ series: Int, _ slot: Int, as found: Fields) {
    if found == self[series, slot] { return }
    grow(series, through: slot)
    fields[series][slot] = found
  }
}
