/// What checking a whole store found: the document of `POST /verify` and of `varve verify --format json`.
public struct VerifyReport: Codable, Sendable, Equatable {
  /// One thing that is not as it must be.
  public struct Problem: Codable, Sendable, Equatable {
    /// Relative to the store's directory.
    public var file: String
    /// Byte in the file, where one is to blame.
    public var offset: UInt64?
    /// What is wrong, with what was expected and found.
    public var what: String

    public init(file: String, offset: UInt64?, what: String) {
      self.file = file
      self.offset = offset
      self.what = what
    }

    init(_ error: StorageError) { self.init(file: error.file, offset: error.offset, what: error.detail) }

    /// `FILE:OFFSET: what`.
    public var text: String { StorageError(.corrupt, file: file, offset: offset, what).description }
  }

  public var problems: [Problem] = []
  /// What is worth knowing and harmless.
  public var notes: [String] = []
  /// What was looked at.
  public var manifests = 0
  public var tables = 0
  public var tableBytes: UInt64 = 0
  public var segments = 0
  public var segmentBytes: UInt64 = 0

  public init() {}

  public var isClean: Bool { problems.isEmpty }

  mutating func add(_ error: StorageError) {
    let problem = Problem(error)
    if !problems.contains(problem) { problems.append(problem) }
  }
}
