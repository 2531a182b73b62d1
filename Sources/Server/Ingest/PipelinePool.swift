import Storage

/// The daemon's threads' pipelines: each is used by one thread at a time, and kept for its vocabulary.
final class PipelinePool: Sendable {
  /// A pipeline on its way between threads.
  ///
  /// Sendable: it is in the pool or with the one thread that took it, never both; the pool's lock orders the handing over.
  private struct Parked: @unchecked Sendable {
    let pipeline: IngestPipeline
  }
  private let idle = Lock<[Parked]>([])

  /// One for the caller alone, until it gives it back.
  func take(store: Store, configuration: ServerConfiguration) -> IngestPipeline {
    let parked = idle.withLock { $0.popLast() }
    return parked?.pipeline ?? IngestPipeline(store: store, configuration: configuration)
  }

  func give(_ pipeline: IngestPipeline) {
    let parked = Parked(pipeline: pipeline)
    idle.withLock { $0.append(parked) }
  }
}
