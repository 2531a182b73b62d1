import LineProtocol

/// One receiver's answers to a database's rules: worked out once a spelling, then an array access a row.
final class PolicyRouter {
  /// Where rows may go: the default policy's keyspace, then those of the rules that fit any series so far.
  private(set) var targets: [KeyspaceID] = []
  /// For each row of the batch routed last, its index in `targets`.
  private(set) var rows: [UInt16] = []
  /// Whether each target has a row of that batch.
  private(set) var isUsed: [Bool] = []

  private static let unknown = UInt16.max
  /// By spelling.
  private var answers: [UInt16] = []
  private var generation: UInt64 = 0
  private var rules: [PolicyRule] = []
  private var policies: [String: KeyspaceID] = [:]

  /// Finds the target of every row. `policies`: the database's keyspaces by policy.
  func route(
    _ batch: LineBatch, names: Vocabulary, rules: [PolicyRule], policies: [String: KeyspaceID],
    to target: KeyspaceID
  ) {
    if rules != self.rules || policies != self.policies || targets.first != target
      || generation != names.generation
    {
      (self.rules, self.policies, generation) = (rules, policies, names.generation)
      targets = [target]
      answers.removeAll()
    }
    rows.removeAll(keepingCapacity: true)
    isUsed = Array(repeating: false, count: targets.count)
    for row in 0..<batch.count {
      let answer = answer(batch.series[row], names)
      rows.append(answer)
      isUsed[Int(answer)] = true
    }
  }

  private func answer(_ spelling: UInt32, _ names: Vocabulary) -> UInt16 {
    let index = Int(spelling)
    if index < answers.count, answers[index] != Self.unknown { return answers[index] }
    if index >= answers.count {
      answers.append(
        contentsOf: repeatElement(Self.unknown, count: max(names.seriesCount, index + 1) - answers.count))
    }
    let key = names.seriesKey(spelling)
    let parts = key.parts
    let rule = rules.first { rule in
      rule.fits(parts.measurement) { wanted in parts.tags.first { $0.key.elementsEqual(wanted) }?.value ?? []
      }
    }
    answers[index] = place(of: rule.flatMap { policies[$0.policy] } ?? targets[0])
    return answers[index]
  }

  private func place(of keyspace: KeyspaceID) -> UInt16 {
    if let known = targets.firstIndex(of: keyspace) { return UInt16(known) }
    targets.append(keyspace)
    isUsed.append(false)
    return UInt16(targets.count - 1)
  }
}
