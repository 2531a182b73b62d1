import LineProtocol

/// What `varve repair` found, did and could not save.
public struct RepairReport: Codable, Sendable, Equatable {
  /// Something that was acknowledged and is gone.
  public struct Loss: Codable, Sendable, Equatable {
    /// Where it was: the file that is set aside.
    public var file: String
    /// Empty where it is not known.
    public var database: String
    public var policy: String
    /// `nil`: not known, or all that the file held.
    public var measurement: String?
    /// The series in line protocol's spelling; `nil`: all of the measurement.
    public var series: String?
    /// Times between which rows are gone, both included, nanoseconds; `nil` where they are not known.
    public var from: Int64?
    public var through: Int64?
    /// In words.
    public var what: String
    /// Of points that were in the log: batches that they may have been of; `nil` where no bound is known.
    public var firstBatch: UInt64?
    /// The last one; `nil` where nothing that is left says how far the log went.
    public var lastBatch: UInt64?
  }

  public var isDryRun: Bool
  /// Damage that was found.
  public var problems: [VerifyReport.Problem] = []
  /// What was done, in order.
  public var actions: [String] = []
  public var losses: [Loss] = []
  /// What repair could not know.
  public var notes: [String] = []

  public init(isDryRun: Bool) { self.isDryRun = isDryRun }

  public var isLossy: Bool { !losses.isEmpty }

  mutating func add(_ errors: [StorageError]) {
    for error in errors {
      let problem = VerifyReport.Problem(error)
      if !problems.contains(problem) { problems.append(problem) }
    }
  }
}

extension SeriesKey {
  /// As a report names a series, for people.
  var reportText: String {
    let parts = parts
    var out = Array(parts.measurement)
    for tag in parts.tags { out += Array(",".utf8) + tag.key + Array("=".utf8) + tag.value }
    return String(decoding: out, as: UTF8.self)
  }

  /// The measurement of it.
  var measurementText: String { String(decoding: parts.measurement, as: UTF8.self) }
}
