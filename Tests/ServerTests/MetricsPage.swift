/// Prometheus text, read strictly: what breaks the format throws.
struct MetricsPage {
  struct Sample {
    var name: String
    var labels: [String: String]
    var value: Double
  }
  struct Malformed: Error, CustomStringConvertible { var description: String }

  private(set) var samples: [Sample] = []
  private(set) var kinds: [String: String] = [:]

  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw Malformed(description: "no newline at the end") }
    var family = ""
    var seen: Set<String> = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      let words = line.split(separator: " ", maxSplits: 3).map(String.init)
      if line.hasPrefix("# HELP "), words.count == 4 {
        guard seen.insert(words[2]).inserted else {
          throw Malformed(description: "family twice: \(words[2])")
        }
        family = words[2]
      } else if line.hasPrefix("# TYPE "), words.count == 4 {
        guard words[2] == family, ["counter", "gauge", "histogram"].contains(words[3]) else {
          throw Malformed(description: String(line))
        }
        kinds[family] = words[3]
      } else {
        let sample = try Self.sample(line)
        let isHistogram = kinds[family] == "histogram"
        let names = isHistogram ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
        guard names.contains(sample.name) else { throw Malformed(description: "\(line) in family \(family)") }
        samples.append(sample)
      }
    }
  }

  private static func sample(_ line: Substring) throws -> Sample {
    guard let gap = line.lastIndex(of: " "),
      let value = Double(line[line.index(after: gap)...].replacing("+Inf", with: "inf"))
    else { throw Malformed(description: "no value: \(line)") }
    let head = line[..<gap]
    guard let brace = head.firstIndex(of: "{") else {
      return Sample(name: String(head), labels: [:], value: value)
    }
    guard head.last == "}" else { throw Malformed(description: "labels: \(line)") }
    var labels: [String: String] = [:]
    // No label value of this server holds a comma or an escaped quote.
    for pair in head[head.index(after: brace)...].dropLast().split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, parts[1].count >= 2, parts[1].hasPrefix("\""), parts[1].hasSuffix("\"") else {
        throw Malformed(description: "label \(pair): \(line)")
      }
      labels[parts[0]] = String(parts[1].dropFirst().dropLast())
    }
    return Sample(name: String(head[..<brace]), labels: labels, value: value)
  }

  /// The sum of the samples of a name that have these labels.
  func sum(_ name: String, _ labels: [String: String] = [:]) -> Double {
    samples.filter { sample in sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
    }
    .reduce(0) { $0 + $1.value }
  }

  func accepted(_ listener: String) -> Double {
    sum("varve_ingest_lines_total", ["listener": listener, "result": "accepted"])
  }

  func rejected(_ listener: String) -> Double {
    sum("varve_ingest_lines_total", ["listener": listener, "result": "rejected"])
  }

  func rejected(_ listener: String, _ reason: String) -> Double {
    sum("varve_ingest_rejects_total", ["listener": listener, "reason": reason])
  }
}
