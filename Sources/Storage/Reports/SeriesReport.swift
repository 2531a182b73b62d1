/// Series and the bytes they take on disk, by measurement, tag key and tag value: the document of `GET /stats/series`.
public struct SeriesReport: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable { case measurement, tagKey, tagValue }

  public struct Database: Codable, Sendable, Equatable {
    public var database: String
    /// With rows that are not yet in tables, or lately had.
    public var liveSeries: Int
    /// Distinct series of all measurements, in tables and in memory.
    public var series: Int
    /// Of rows, dictionary, index and Bloom filters of all measurements.
    public var bytes: UInt64
  }

  public struct Entry: Codable, Sendable, Equatable {
    public var database: String
    public var kind: Kind
    public var measurement: String
    public var key: String?
    public var value: String?
    /// Distinct values of a tag key.
    public var values: Int?
    public var series: Int
    public var bytes: UInt64
  }

  /// Series of one measurement up to which counts are exact; above it they are estimates from a sample of at most as many: of the
  /// measurement within half a percent, of a tag value as good as its share of the sample.
  public static let exactSeriesCountMax = 1 << 17

  public var databases: [Database]
  /// Of each database and kind those with the most series, most first.
  public var entries: [Entry]
}
