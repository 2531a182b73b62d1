import Client

/// What a server's `/metrics` says: Prometheus text, format 0.0.4.
package struct Metrics {
  package struct Sample: Equatable {
    package var name: String
    package var labels: [Label]
    package var value: Double

    package func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }
  }
  package struct Label: Equatable {
    package var name: String
    package var value: String
  }
  package private(set) var samples: [Sample] = []

  /// Reads the text; lines that are no samples are passed over.
  package init(_ text: String) {
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      if let sample = Self.sample(line) { samples.append(sample) }
    }
  }

  /// Asks a server.
  init(_ client: HTTPClient) throws {
    let response = try client.get("/metrics")
    guard response.isSuccess else {
      throw CommandFailure("\(client.baseURL)/metrics answered \(response.status)")
    }
    self.init(response.text)
  }

  private static func sample(_ line: Substring) -> Sample? {
    let nameEnd = line.firstIndex { $0 == "{" || $0 == " " } ?? line.endIndex
    var rest = line[nameEnd...]
    var labels: [Label] = []
    if rest.first == "{" {
      rest.removeFirst()
      while let first = rest.first, first != "}" {
        guard let equals = rest.firstIndex(of: "=") else { return nil }
        let name = rest[..<equals].filter { $0 != "," && $0 != " " }
        rest = rest[equals...].dropFirst(2)
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
          guard character == "\\", let escaped = rest.popFirst() else {
            value.append(character)
            continue
          }
          value.append(escaped == "n" ? "\n" : escaped)
        }
        labels.append(Label(name: String(name), value: value))
      }
      rest = rest.dropFirst()
    }
    guard let number = rest.split(separator: " ").first, let value = Double(number) else { return nil }
    return Sample(name: String(line[..<nameEnd]), labels: labels, value: value)
  }
}
