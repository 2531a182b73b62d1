import FoundationEssentials

/// What a table says of itself in words, so that a lost manifest can be made again from the files.
package struct TableProperties: Codable, Sendable, Equatable {
  package var number: UInt64
  package var keyspace: UInt32
  /// Database and policy as named at writing.
  package var database: String
  package var policy: String
  /// Half-open, nanoseconds.
  package var windowStart: Int64
  package var windowEnd: Int64
  package var firstSequence: UInt64
  package var lastSequence: UInt64
  package var horizon: Int64
  /// Sequence numbers of the tombstones whose points were left out.
  package var tombstones: [UInt64]
  package var firstTimestamp: Int64
  package var lastTimestamp: Int64
  package var rowCount: Int
  /// Values present, of all fields.
  package var valueCount: Int
  package var seriesCount: Int
  package var measurementCount: Int
  package var rowGroupCount: Int
  package var blockCount: Int

  /// As JSON with sorted keys.
  func encode() throws(StorageError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    do {
      return Array(try encoder.encode(self))
    } catch {
      throw StorageError(.invalid, "properties of table \(number): \(error)")
    }
  }

  init(decoding reader: PayloadReader) throws(StorageError) {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(reader.payload))
    } catch {
      throw reader.corrupt("properties: \(error)")
    }
  }

  init(identity: TableIdentity) {
    number = identity.number
    keyspace = identity.keyspace.number
    database = identity.database
    policy = identity.policy
    windowStart = identity.window.lowerBound
    windowEnd = identity.window.upperBound
    firstSequence = identity.sequenceRange.lowerBound
    lastSequence = identity.sequenceRange.upperBound
    horizon = identity.horizon
    tombstones = []
    firstTimestamp = .max
    lastTimestamp = .min
    rowCount = 0
    valueCount = 0
    seriesCount = 0
    measurementCount = 0
    rowGroupCount = 0
    blockCount = 0
  }
}
