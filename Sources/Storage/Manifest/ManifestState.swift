/// The number of a (database, policy); never used again. Names live in the manifest only.
public struct KeyspaceID: Hashable, Codable, Sendable, Comparable {
  public var number: UInt32

  public init(_ number: UInt32) { self.number = number }

  public init(from decoder: any Decoder) throws {
    number = try decoder.singleValueContainer().decode(UInt32.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(number)
  }

  public static func < (a: KeyspaceID, b: KeyspaceID) -> Bool { a.number < b.number }
}

/// One file of a run.
package struct TableState: Codable, Sendable, Equatable {
  /// Names the file; never used again.
  package var number: UInt64
  package var byteCount: UInt64
  package var rowCount: Int
  package var seriesCount: Int
  package var firstTimestamp: Int64
  package var lastTimestamp: Int64

  package init(
    number: UInt64, byteCount: UInt64, rowCount: Int, seriesCount: Int, firstTimestamp: Int64, lastTimestamp: Int64
  ) {
    self.number = number
    self.byteCount = byteCount
    self.rowCount = rowCount
    self.seriesCount = seriesCount
    self.firstTimestamp = firstTimestamp
    self.lastTimestamp = lastTimestamp
  }
}

/// Tables of one window that one flush or merge wrote: disjoint by series, one range of sequence numbers.
package struct RunState: Codable, Sendable, Equatable {
  package var firstSequence: UInt64
  package var lastSequence: UInt64
  /// Made by the window's final merge.
  package var isFinal: Bool
  /// When it was published, nanoseconds of the store clock.
  package var publishedAt: Int64
  /// Nothing that tombstones up to this number hide is left in it; 0 where none was looked at.
  package var clearedThrough: UInt64
  package var tables: [TableState]

  package init(
    firstSequence: UInt64, lastSequence: UInt64, isFinal: Bool, publishedAt: Int64, clearedThrough: UInt64 = 0,
    tables: [TableState]
  ) {
    self.clearedThrough = clearedThrough
    self.firstSequence = firstSequence
    self.lastSequence = lastSequence
    self.isFinal = isFinal
    self.publishedAt = publishedAt
    self.tables = tables
  }

  package var byteCount: UInt64 { tables.reduce(0) { $0 + $1.byteCount } }
  package var rowCount: Int { tables.reduce(0) { $0 + $1.rowCount } }
}

/// A window: its range never changes; runs ascend by sequence number and their ranges are disjoint.
package struct WindowState: Codable, Sendable, Equatable {
  /// Half-open, nanoseconds.
  package var start: Int64
  package var end: Int64
  /// Replay inserts a point only if its number is above this.
  package var flushedThrough: UInt64
  package var runs: [RunState]

  package init(start: Int64, end: Int64, flushedThrough: UInt64, runs: [RunState]) {
    self.start = start
    self.end = end
    self.flushedThrough = flushedThrough
    self.runs = runs
  }

  package var range: Range<Int64> { start..<end }
  /// Bytes of its tables.
  package var byteCount: UInt64 { runs.reduce(0) { $0 + $1.byteCount } }
}

/// A retention policy and what it holds.
package struct KeyspaceState: Codable, Sendable, Equatable {
  package var id: KeyspaceID
  package var database: String
  package var policy: String
  package var isDefault: Bool
  /// Whether a rule of the database has ever sent points here: it is then read with the default policy.
  package var isRuled = false
  /// Nanoseconds; 0 is for ever.
  package var ttl: Int64
  /// Nanoseconds; the length of windows made from now on.
  package var windowLength: Int64
  /// Everything before it is dropped for good; `Int64.min` where nothing is.
  package var horizon: Int64
  /// Sorted by start, disjoint.
  package var windows: [WindowState]
  /// By number, ascending: deletes that have not been carried out everywhere.
  package var tombstones: [Tombstone]

  package init(
    id: KeyspaceID, database: String, policy: String, isDefault: Bool, ttl: Int64, windowLength: Int64,
    horizon: Int64 = .min, windows: [WindowState] = [], tombstones: [Tombstone] = []
  ) {
    self.tombstones = tombstones
    self.id = id
    self.database = database
    self.policy = policy
    self.isDefault = isDefault
    self.ttl = ttl
    self.windowLength = windowLength
    self.horizon = horizon
    self.windows = windows
  }
}

/// All that the manifest says.
package struct ManifestState: Codable, Sendable, Equatable {
  /// Database names; a database may be without policies.
  package var databases: [String] = []
  /// Sorted by number.
  package var keyspaces: [KeyspaceState] = []
  package var nextKeyspace: UInt32 = 1
  /// Table numbers below it are taken.
  package var nextTable: UInt64 = 1
  /// No batch above it is in a table.
  package var lastSequence: UInt64 = 0
  /// The highest segment that was ever opened, so that a number is never used again.
  package var lastSegment: UInt64 = 0
  /// The store clock as last noted; `Int64.min` before that.
  package var clock: Int64 = .min
  /// By database: rules in the order in which they are tried.
  package var rules: [String: [PolicyRule]] = [:]

  package init() {}

  package func index(of id: KeyspaceID) -> Int? { keyspaces.firstIndex { $0.id == id } }
}

// Format 1 knew no deletes and no rules: what it leaves out is none.
extension RunState {
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      firstSequence: try fields.decode(UInt64.self, forKey: .firstSequence),
      lastSequence: try fields.decode(UInt64.self, forKey: .lastSequence),
      isFinal: try fields.decode(Bool.self, forKey: .isFinal),
      publishedAt: try fields.decode(Int64.self, forKey: .publishedAt),
      clearedThrough: try fields.decodeIfPresent(UInt64.self, forKey: .clearedThrough) ?? 0,
      tables: try fields.decode([TableState].self, forKey: .tables))
  }
}

extension KeyspaceState {
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      id: try fields.decode(KeyspaceID.self, forKey: .id),
      database: try fields.decode(String.self, forKey: .database),
      policy: try fields.decode(String.self, forKey: .policy),
      isDefault: try fields.decode(Bool.self, forKey: .isDefault),
      ttl: try fields.decode(Int64.self, forKey: .ttl),
      windowLength: try fields.decode(Int64.self, forKey: .windowLength),
      horizon: try fields.decode(Int64.self, forKey: .horizon),
      windows: try fields.decode([WindowState].self, forKey: .windows),
      tombstones: try fields.decodeIfPresent([Tombstone].self, forKey: .tombstones) ?? [])
    isRuled = try fields.decodeIfPresent(Bool.self, forKey: .isRuled) ?? false
  }
}

extension ManifestState {
  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    databases = try fields.decode([String].self, forKey: .databases)
    keyspaces = try fields.decode([KeyspaceState].self, forKey: .keyspaces)
    nextKeyspace = try fields.decode(UInt32.self, forKey: .nextKeyspace)
    nextTable = try fields.decode(UInt64.self, forKey: .nextTable)
    lastSequence = try fields.decode(UInt64.self, forKey: .lastSequence)
    lastSegment = try fields.decode(UInt64.self, forKey: .lastSegment)
    clock = try fields.decode(Int64.self, forKey: .clock)
    rules = try fields.decodeIfPresent([String: [PolicyRule]].self, forKey: .rules) ?? [:]
  }
}
