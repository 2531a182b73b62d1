
/// The censuses of a store, one a database.
package final class LiveCensuses: Sendable {
  package let limits: CardinalityLimits
  private let censuses = Lock<[String: LiveCensus]>([:])

  package init(limits: CardinalityLimits) { self.limits = limits }

  package func census(of database: String) -> LiveCensus {
    censuses.withLock { censuses in
      if let found = censuses[database] { return found }
      let made = LiveCensus(database: database, limits: limits)
      censuses[database] = made
      return made
    }
  }
}
