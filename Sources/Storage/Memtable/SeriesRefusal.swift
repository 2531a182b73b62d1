/// Why a new series has no room.
package struct SeriesRefusal: Error, Sendable, Equatable {
  package enum Limit: String, Sendable, CaseIterable {
    case series
    case tagValues = "tag_values"
  }
  package var limit: Limit
  /// Names the database and the tag key that grows.
  package var message: String
}
