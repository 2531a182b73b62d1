import Storage

/// The databases, policies and rules that a server is told to have, made or compared at its start.
struct ConfiguredDatabases {
  let configuration: ServerConfiguration
  let say: @Sendable (String) -> Void

  /// Makes the databases that listeners write to; warns where one is there with other settings than asked for.
  func prepare(in store: Store) throws(StorageError) {
    let names = [configuration.database] + configuration.listeners.compactMap(\.database)
    for name in names {
      if let there = store.policies(of: name) {
        guard name == configuration.database, let policy = there.first(where: \.isDefault) else { continue }
        if configuration.retention != 0, policy.ttl != configuration.retention {
          say(
            "warning: database \(name) keeps its retention of \(policy.ttl / 1_000_000_000) s; to change it: "
              + "ALTER RETENTION POLICY \"\(policy.name)\" ON \"\(name)\" DURATION …")
        }
        if configuration.windowLength != 0, policy.windowLength != configuration.windowLength {
          say("warning: database \(name) keeps its window of \(policy.windowLength / 1_000_000_000) s")
        }
      } else {
        let isMain = name == configuration.database
        try store.createDatabase(
          name, ttl: isMain ? configuration.retention : nil,
          windowLength: isMain && configuration.windowLength != 0 ? configuration.windowLength : nil)
      }
    }
    try prepareRules(in: store)
  }

  /// Puts the rules in force that the configuration has, with policies that they need and it gives a TTL.
  func prepareRules(in store: Store) throws(StorageError) {
    var rules: [String: [PolicyRule]] = [:]
    for entry in configuration.rules {
      let database = entry.database ?? configuration.database
      guard let rule = entry.rule else {
        rules[database] = []
        continue
      }
      try store.createDatabase(database)
      let isThere = store.policies(of: database)?.contains { $0.name == rule.policy } ?? false
      if !isThere, let ttl = entry.ttl {
        try store.createPolicy(rule.policy, on: database, ttl: ttl, windowLength: nil, isDefault: false)
      }
      rules[database, default: []].append(rule)
    }
    for (database, rules) in rules {
      do throws(StorageError) {
        try store.setRules(rules, of: database)
      } catch  where error.code == .notFound {
        say(
          "warning: the rules of database \(database) are not changed: \(error.detail); make it, or give the rule a TTL: "
            + "--rule '…=>NAME=30d'")
      }
    }
  }
}
