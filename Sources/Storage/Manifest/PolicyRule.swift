/// Sends points of a database that name no policy to one: by measurement, and by the value of a tag. The first rule that fits counts.
///
/// So a TTL by measurement drops whole files.
public struct PolicyRule: Codable, Sendable, Equatable {
  /// A measurement's name, in which `*` stands for any bytes and `?` for one.
  public var measurement: String
  /// `nil`: whatever the tags are.
  public var tagKey: String?
  /// As `measurement`; an absent tag is empty.
  public var tagValue: String
  /// The policy's name.
  public var policy: String

  public init(measurement: String, tagKey: String? = nil, tagValue: String = "*", policy: String) {
    self.measurement = measurement
    self.tagKey = tagKey
    self.tagValue = tagValue
    self.policy = policy
  }

  /// Whether a series is sent; `value` gives a tag's value, empty where it is absent.
  func fits(_ name: ArraySlice<UInt8>, value: (_ key: [UInt8]) -> ArraySlice<UInt8>) -> Bool {
    guard Self.matches(Array(measurement.utf8)[...], name) else { return false }
    guard let tagKey else { return true }
    return Self.matches(Array(tagValue.utf8)[...], value(Array(tagKey.utf8)))
  }

  /// Whether a pattern of `*` and `?` fits a whole text. The last `*` seen is tried again one byte further on: time is at most the
  /// product of the lengths.
  private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    var (p, t) = (pattern.startIndex, text.startIndex)
    var retry: (pattern: Int, text: Int)?
    while t < text.endIndex {
      if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
        retry = (p + 1, t)
        p += 1
      } else if p < pattern.endIndex, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
        p += 1
        t += 1
      } else if let last = retry {
        retry = (last.pattern, last.text + 1)
        (p, t) = (last.pattern, last.text + 1)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
