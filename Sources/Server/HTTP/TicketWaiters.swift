import Storage

/// The HTTP writes that wait until their tickets are decided.
final class TicketWaiters: Sendable {
  private struct Waiter: Sendable {
    var ticket: Ticket
    var exchange: HTTPExchange
    var response: HTTPResponse
  }
  private let waiting = Lock<[Waiter]>([])

  /// Answers `exchange` with `response` once the ticket is durable, or with the reason why it cannot be.
  func add(_ ticket: Ticket, in store: Store, exchange: HTTPExchange, response: HTTPResponse) {
    waiting.withLock { $0.append(Waiter(ticket: ticket, exchange: exchange, response: response)) }
    // The ticket may have been decided between the commit and now.
    if store.state(of: ticket) != .pending { ticketsDecided(in: store) }
  }

  /// Answers all whose tickets are decided.
  func ticketsDecided(in store: Store) {
    let decided = waiting.withLock { waiting in
      var decided: [(Waiter, TicketState)] = []
      waiting.removeAll { waiter in
        let state = store.state(of: waiter.ticket)
        if state == .pending { return false }
        decided.append((waiter, state))
        return true
      }
      return decided
    }
    for (waiter, state) in decided {
      if case .failed(let error) = state {
        waiter.exchange.answer(.error(503, "not stored: \(error)", headers: [("Retry-After", "1")]))
      } else {
        waiter.exchange.answer(waiter.response)
      }
    }
  }

  /// Answers everybody, decided or not.
  func answerAll(with response: HTTPResponse) {
    let all = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for waiter in all { waiter.exchange.answer(response) }
  }
}
