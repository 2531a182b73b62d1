import Coding
import LineProtocol

/// The fields of the measurement under way, numbered as they come, with the encoder of each.
struct FieldNumbers {
  private(set) var keys: [FieldKey] = []
  /// The numbers in the order of names and types.
  private(set) var sorted: [Int] = []
  /// For row groups of one series, and of several: their columns look otherwise, and there is no time for ranges where each series costs more
  /// than its rows.
  var encoders = [GroupEncoders(hasRanges: true), GroupEncoders(hasRanges: false)]

  private var places: [FieldKey: Int] = [:]
  /// The keys asked for last time, and the answer: batches of a series nearly always look alike.
  private var lastKeys: [FieldKey] = []
  private var lastNumbers: [Int] = []

  /// The number of a field, given now if it is new.
  mutating func number(of key: FieldKey) -> Int {
    if let known = places[key] { return known }
    let number = keys.count
    keys.append(key)
    places[key] = number
    for place in encoders.indices { encoders[place].append(columnKind(key.type)) }
    sorted.insert(number, at: sorted.partitioningIndex { !precedes(keys[$0], key) })
    return number
  }

  /// The numbers of a batch's columns; −1 for one that is not known and has no values.
  mutating func numbers(of columns: [Column]) -> [Int] {
    if columns.count == lastKeys.count, zip(columns, lastKeys).allSatisfy({ $0.key == $1 }),
      zip(columns, lastNumbers).allSatisfy({ $1 >= 0 || $0.presentCount == 0 })
    {
      return lastNumbers
    }
    lastKeys = columns.map(\.key)
    lastNumbers = columns.map { $0.presentCount > 0 ? number(of: $0.key) : places[$0.key] ?? -1 }
    return lastNumbers
  }
}

/// An encoder for timestamps, and one for each field by its number.
struct GroupEncoders {
  var timestamps: BlockEncoder
  var fields: [BlockEncoder] = []
  private let hasRanges: Bool

  init(hasRanges: Bool) {
    self.hasRanges = hasRanges
    timestamps = BlockEncoder(kind: .timestamp, hasRanges: hasRanges)
  }

  mutating func append(_ kind: ColumnKind) { fields.append(BlockEncoder(kind: kind, hasRanges: hasRanges)) }
}
