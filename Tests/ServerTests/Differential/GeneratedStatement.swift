/// A statement in parts, so that those that do not matter can be taken away again.
struct GeneratedStatement: CustomStringConvertible {
  indirect enum Source {
    /// Measurements as written; empty: none.
    case names([String])
    case subqueries([GeneratedStatement])
  }

  /// `SELECT`, `SHOW TAG KEYS`, or a whole wrong statement.
  var head: String
  var fields: [String] = []
  var source = Source.names([])
  /// `WITH …`.
  var with = ""
  /// Joined by `AND`.
  var terms: [String] = []
  var dimensions: [String] = []
  /// `fill`, `ORDER BY`, `LIMIT` and what else follows, in order.
  var tail: [String] = []

  init(_ head: String) { self.head = head }

  var description: String {
    var parts = [head]
    if !fields.isEmpty { parts.append(fields.joined(separator: ", ")) }
    switch source {
    case .names(let names): if !names.isEmpty { parts.append("FROM " + names.joined(separator: ", ")) }
    case .subqueries(let inner): parts.append("FROM " + inner.map { "(\($0))" }.joined(separator: ", "))
    }
    if !with.isEmpty { parts.append(with) }
    if !terms.isEmpty { parts.append("WHERE " + terms.joined(separator: " AND ")) }
    if !dimensions.isEmpty { parts.append("GROUP BY " + dimensions.joined(separator: ", ")) }
    return (parts + tail).joined(separator: " ")
  }

  /// The statements that lack one part of this one.
  var simpler: [GeneratedStatement] {
    var found: [GeneratedStatement] = []
    func add(_ change: (inout GeneratedStatement) -> Void) {
      var copy = self
      change(&copy)
      found.append(copy)
    }
    for index in tail.indices { add { $0.tail.remove(at: index) } }
    // Bounds stay: without them buckets would reach from 1677 to now.
    for index in terms.indices where !terms[index].contains("time ") { add { $0.terms.remove(at: index) } }
    for index in dimensions.indices { add { $0.dimensions.remove(at: index) } }
    if fields.count > 1 { for index in fields.indices { add { $0.fields.remove(at: index) } } }
    if !with.isEmpty { add { $0.with = "" } }
    switch source {
    case .names(let names):
      guard names.count > 1 else { break }
      for index in names.indices { add { $0.source = .names(Self.without(names, index)) } }
    case .subqueries(let inner):
      for index in inner.indices where inner.count > 1 {
        add { $0.source = .subqueries(Self.without(inner, index)) }
      }
      for index in inner.indices {
        for part in inner[index].simpler {
          var parts = inner
          parts[index] = part
          add { $0.source = .subqueries(parts) }
        }
      }
    }
    return found
  }

  private static func without<Element>(_ all: [Element], _ index: Int) -> [Element] {
    var rest = all
    rest.remove(at: index)
    return rest
  }

  /// The smallest statement within reach that still differs.
  func reduced(_ differs: (GeneratedStatement) throws -> Bool) rethrows -> GeneratedStatement {
    var smallest = self
    while let next = try smallest.simpler.first(where: differs) { smallest = next }
    return smallest
  }
}
