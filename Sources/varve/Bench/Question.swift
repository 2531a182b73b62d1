/// A query of the benchmark on workload S, in the languages of the servers that are measured.
package struct Question: Sendable {
  /// How a server is asked.
  package enum Language: String, CaseIterable, Sendable {
    /// `POST /query` of Varve and InfluxDB.
    case influxql
    /// `/api/v1` of VictoriaMetrics.
    case metricsql
  }

  package var name: String
  package var influxQL: String
  /// Whether the answer is asked for as CSV, in the form that InfluxDB has too.
  package var isExport = false
  package var metricsQL: MetricsRequest

  /// What VictoriaMetrics is asked for the same.
  package struct MetricsRequest: Sendable {
    package var path: String
    package var parameters: [(name: String, value: String)]
  }
}

extension Question {
  /// All, in the order of the table that they make.
  package static let all: [Question] = [
    maximum("single-groupby-1-1-1", 1, hosts: [42], from: "08:00", to: "09:00", step: 60),
    maximum("single-groupby-1-1-12", 1, hosts: [42], from: "06:00", to: "18:00", step: 60),
    maximum("single-groupby-5-1-12", 5, hosts: [42], from: "06:00", to: "18:00", step: 60),
    maximum("single-groupby-5-8-1", 5, hosts: eightHosts, from: "08:00", to: "09:00", step: 60),
    maximum("cpu-max-all-1", 10, hosts: [42], from: "04:00", to: "12:00", step: 3_600),
    maximum("cpu-max-all-8", 10, hosts: eightHosts, from: "04:00", to: "12:00", step: 3_600),
    mean("double-groupby-1", 1), mean("double-groupby-5", 5), mean("double-groupby-all", 10),
    high("high-cpu-1", 10, host: 24), high("high-cpu-all", 10, host: nil), high("high-cpu-all-1", 1, host: nil),
    Question(
      name: "groupby-orderby-limit",
      influxQL: "SELECT max(usage_user) FROM cpu WHERE time < '2016-01-01T08:35:00Z' GROUP BY time(60s) ORDER BY time DESC LIMIT 5",
      // It has no limit: the time bound that the answer turns out to have.
      metricsQL: range("max(max_over_time(cpu_usage_user[60s]))", from: "08:30", to: "08:35", step: 60)),
    Question(
      name: "lastpoint", influxQL: "SELECT * FROM cpu GROUP BY \"hostname\" ORDER BY time DESC LIMIT 1",
      metricsQL: MetricsRequest(
        path: "/api/v1/query",
        parameters: [
          ("query", "last_over_time(\(selector(10, []))[1d])"), ("time", "2016-01-01T23:59:59Z"), ("nocache", "1"),
        ])),
    Question(
      name: "export-one", influxQL: "SELECT usage_user FROM cpu WHERE hostname = 'host_42'",
      metricsQL: export(selector(1, [42]))),
    Question(name: "export-all", influxQL: "SELECT * FROM cpu", isExport: true, metricsQL: export(selector(10, []))),
  ]

  private static let eightHosts = [3, 11, 27, 42, 58, 63, 77, 94]
  private static let fields = [
    "usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
    "usage_steal", "usage_guest", "usage_guest_nice",
  ]

  /// Maxima of the first fields over all asked hosts.
  private static func maximum(
    _ name: String, _ fieldCount: Int, hosts: [Int], from: String, to: String, step: Int
  ) -> Question {
    let asked = hosts.map { "hostname = 'host_\($0)'" }.joined(separator: " OR ")
    return Question(
      name: name,
      influxQL: "SELECT \(calls("max", fieldCount)) FROM cpu WHERE (\(asked)) AND \(times(from, to)) GROUP BY time(\(step)s)",
      metricsQL: range(
        "max(max_over_time(\(selector(fieldCount, hosts))[\(step)s]) keep_metric_names) by (__name__)", from: from,
        to: to, step: step))
  }

  /// Hourly means of the first fields of every host.
  private static func mean(_ name: String, _ fieldCount: Int) -> Question {
    Question(
      name: name,
      influxQL:
        "SELECT \(calls("mean", fieldCount)) FROM cpu WHERE \(times("06:00", "18:00")) GROUP BY time(3600s), hostname",
      metricsQL: range(
        "avg(avg_over_time(\(selector(fieldCount, []))[3600s]) keep_metric_names) by (__name__, hostname)",
        from: "06:00", to: "18:00", step: 3_600))
  }

  /// All of the rows whose first field is above 90, or that field alone.
  private static func high(_ name: String, _ fieldCount: Int, host: Int?) -> Question {
    let asked = host.map { "(hostname = 'host_\($0)') AND " } ?? ""
    let hosts = host.map { [$0] } ?? []
    let first = "\(selector(1, hosts)) > 90"
    return Question(
      name: name,
      influxQL: "SELECT \(fieldCount > 1 ? "*" : fields[0]) FROM cpu WHERE usage_user > 90.0 AND \(asked)\(times("06:00", "18:00"))",
      metricsQL: range(
        fieldCount > 1 ? "\(selector(fieldCount, hosts)) and on (hostname) (\(first))" : first, from: "06:00", to: "18:00", step: 10))
  }

  private static func calls(_ function: String, _ fieldCount: Int) -> String {
    fields.prefix(fieldCount).map { "\(function)(\($0))" }.joined(separator: ", ")
  }

  private static func times(_ from: String, _ to: String) -> String {
    "time >= '2016-01-01T\(from):00Z' AND time < '2016-01-01T\(to):00Z'"
  }

  private static func selector(_ fieldCount: Int, _ hosts: [Int]) -> String {
    let names = fields.prefix(fieldCount).map { "cpu_\($0)" }
    let name = fieldCount == 1 ? "__name__=\"\(names[0])\"" : "__name__=~\"\(names.joined(separator: "|"))\""
    let values = hosts.map { "host_\($0)" }.joined(separator: "|")
    return hosts.isEmpty ? "{\(name)}" : "{\(name),hostname=~\"\(values)\"}"
  }

  /// A step's rows are those of the bucket that ends a second later: VictoriaMetrics looks back from a moment, that included, and points
  /// come every ten seconds.
  private static func range(_ query: String, from: String, to: String, step: Int) -> MetricsRequest {
    func seconds(_ time: String) -> Int {
      let parts = time.split(separator: ":").compactMap { Int($0) }
      return 1_451_606_400 + parts[0] * 3_600 + parts[1] * 60
    }
    let first = step == 10 ? 0 : step - 1
    return MetricsRequest(
      path: "/api/v1/query_range",
      parameters: [
        ("query", query), ("start", "\(seconds(from) + first)"), ("end", "\(seconds(to) - 1)"), ("step", "\(step)s"),
        // Else it moves both times to multiples of the step, and answers from what it remembers.
        ("nocache", "1"),
      ])
  }

  private static func export(_ selector: String) -> MetricsRequest {
    MetricsRequest(
      path: "/api/v1/export",
      parameters: [("match[]", selector), ("start", "2016-01-01T00:00:00Z"), ("end", "2016-01-01T23:59:59Z")])
  }
}
