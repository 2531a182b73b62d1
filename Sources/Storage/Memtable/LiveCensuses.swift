
/// The censuses of a store, one a database.
package final class LiveCensuses: Sendable {
  package let limits: CardinalityLimits
  private let censuses = Lock<[String: LiveCensus]>([:])

  private let memory: SeriesMemory

  package init(limits: CardinalityLimits, memory: SeriesMemory = SeriesMemory()) {
    self.limits = limits
    self.memory = memory
  }

  package func census(of database: String) -> LiveCensus {
    censuses.withLock { censuses in
      if let found = censuses[database] { return found }
      let made = LiveCensus(database: database, limits: limits, memory: memory)
      censuses[database] = made
      return made
    }
  }
}
