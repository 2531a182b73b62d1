import Query

/// Writes a workload's lines, byte for byte the same each time.
///
/// Cost: some 3 million lines of ten integers a second. Hosts are made first, each with its tags and starting values; then tick after tick every host of every measurement is
/// written and moved. Belongs to one thread.
package struct WorkloadGenerator {
  private let workload: Workload
  private let measurements: [WorkloadSchema.Measurement]
  private var random: WorkloadRandom
  /// Which lines come late, and how late; apart from the values.
  private var lateRandom: WorkloadRandom
  /// One for each host and measurement, measurement by measurement within a host.
  private var series: [Series] = []
  /// The walks of all series, one after another.
  private var walks: [Walk] = []
  /// What stands before each field's value, by measurement: ` usage_user=`, then `,usage_system=`.
  private let labels: [[[UInt8]]]

  private struct Series {
    /// Measurement and tags.
    var key: [UInt8]
    var firstWalk: Int
    /// A number of its own: boot time, total memory.
    var auxiliary: Int64 = 0
  }

  package init(_ workload: Workload) {
    self.workload = workload
    measurements = WorkloadSchema.measurements(of: workload.kind)
    labels = measurements.map { measurement in
      measurement.fields.enumerated().map { Array("\($0 == 0 ? " " : ",")\($1.name)=".utf8) }
    }
    random = WorkloadRandom(seed: workload.seed)
    lateRandom = WorkloadRandom(seed: ~workload.seed)
    for host in 0..<workload.hostCount { addHost(host) }
  }

  /// Writes all lines, a megabyte at a time.
  package mutating func run(_ write: ([UInt8]) throws -> Void) rethrows {
    var out: [UInt8] = []
    out.reserveCapacity(Self.pieceByteCount + 65_536)
    // The lines that are held back, by the tick that they come with.
    var late: [Int: [UInt8]] = [:]
    for tick in 0..<workload.tickCount {
      if let due = late.removeValue(forKey: tick) { out += due }
      let seconds = workload.start + Int64(tick * workload.intervalSeconds)
      let ending = Array(" \(seconds * 1_000_000_000)\n".utf8)
      for measurement in measurements.indices {
        for host in 0..<workload.hostCount {
          let start = out.count
          appendLine(measurement, series[host * measurements.count + measurement], tick: tick, into: &out)
          out.append(contentsOf: ending)
          if workload.lateEvery > 0, let delay = drawDelay() {
            late[tick + delay, default: []] += out[start...]
            out.removeSubrange(start...)
          }
          if out.count >= Self.pieceByteCount {
            try write(out)
            out.removeAll(keepingCapacity: true)
          }
        }
      }
      for index in walks.indices { walks[index].advance(&random) }
    }
    for tick in late.keys.sorted() { out += late[tick] ?? [] }
    try write(out)
  }

  /// The ticks by which the next line is late; `nil` where it is not.
  private mutating func drawDelay() -> Int? {
    guard lateRandom.below(workload.lateEvery) == 0 else { return nil }
    return 1 + Int(lateRandom.below(UInt64(workload.latenessSecondsMax / workload.intervalSeconds)))
  }

  private static let pieceByteCount = 1 << 20

  // MARK: Hosts

  private mutating func addHost(_ host: Int) {
    let tags =
      switch workload.kind {
      case .sample: sampleTags(host)
      case .small: smallTags(host)
      default: hostTags(host)
      }
    for measurement in measurements {
      var one = Series(key: [], firstWalk: walks.count)
      walks += measurement.fields.map(\.walk)
      let extra = begin(measurement, &one)
      if workload.kind == .sample {
        // Hosts differ from the start.
        for index in walks.indices[one.firstWalk...] { walks[index].state *= 0.5 + random.uniform() }
      }
      one.key = Array("\(measurement.name),\(tags)\(extra)".utf8)
      series.append(one)
    }
  }

  /// The ten tags of a host. Random numbers are drawn in the order of the first generator of these data sets, whose
  /// compiler evaluated arguments from right to left.
  private mutating func hostTags(_ host: Int) -> String {
    let region = Int(random.below(9))
    let letters = Array(WorkloadSchema.datacenters[region])
    let datacenter = letters[Int(random.below(UInt64(letters.count)))]
    let environment = WorkloadSchema.environments[Int(random.below(3))]
    let version = random.below(2)
    let service = random.below(20)
    let team = WorkloadSchema.teams[Int(random.below(4))]
    let architecture = random.below(2) == 0 ? "x64" : "x86"
    let system = WorkloadSchema.systems[Int(random.below(3))]
    let rack = random.below(100)
    let name = WorkloadSchema.regions[region]
    return "hostname=host_\(host),region=\(name),datacenter=\(name)\(datacenter),rack=\(rack),os=\(system),"
      + "arch=\(architecture),team=\(team),service=\(service),service_version=\(version),"
      + "service_environment=\(environment)"
  }

  private mutating func smallTags(_ host: Int) -> String {
    "host=host_\(host),region=\(WorkloadSchema.regions[Int(random.below(9))])"
  }

  private func sampleTags(_ host: Int) -> String {
    "host=\(["alder", "birch", "cedar", "dogwood"][host % 4])\(host < 4 ? "" : "\(host)"),"
      + "region=\(host % 2 == 0 ? "eu-central-1" : "us-east-1")"
  }

  /// Sets a series' starting values; the tags that only this measurement has.
  private mutating func begin(_ measurement: WorkloadSchema.Measurement, _ one: inout Series) -> String {
    switch measurement.name {
    case "cpu" where workload.kind != .sample, "gauge":
      for index in walks.indices[one.firstWalk...] {
        let scale =
          measurement.form == .integers ? 100.0 : measurement.form == .decimalFloats ? 100_000.0 : 1000.0
        // Two steps as in the first generator: the product of all three would round otherwise.
        walks[index].state =
          measurement.form == .decimalFloats ? random.uniform() * 1000.0 * 100 : random.uniform() * scale
        if measurement.form == .decimalFloats { walks[index].deviation = 25 }
      }
      return ""
    case "load":
      walks[one.firstWalk].state = random.uniform() * 10_000
      return ""
    case "diskio":
      let numbers = [random.below(1000), random.below(1000), random.below(1000)].map { number in
        String(repeating: "0", count: 3 - "\(number)".count) + "\(number)"
      }
      return ",serial=\(numbers[2])-\(numbers[1])-\(numbers[0])"
    case "disk" where workload.kind == .devops:
      let system = WorkloadSchema.fileSystems[Int(random.below(3))]
      return ",path=/dev/sda\(random.below(10)),fstype=\(system)"
    case "kernel":
      one.auxiliary = Int64(random.below(240))
      return ""
    case "mem" where workload.kind == .devops:
      one.auxiliary = [8 << 30, 12 << 30, 16 << 30][Int(random.below(3))]
      let total = Double(one.auxiliary)
      for index in 0..<3 {
        walks[one.firstWalk + index] = .clamped(0, total / 64, 0, total, random.uniform() * total)
      }
      return ""
    case "net": return ",interface=eth\(random.below(4))"
    case "nginx", "redis":
      let server = random.below(100_000)
      return ",port=\(random.below(20_000) + 1024),server=\(measurement.name)_\(server)"
    case "disk": return ",path=/"
    default: return ""
    }
  }

  // MARK: Lines

  private func appendLine(_ measurement: Int, _ one: Series, tick: Int, into out: inout [UInt8]) {
    out.append(contentsOf: one.key)
    let form = measurements[measurement].form
    let labels = labels[measurement]
    switch form {
    case .integers, .kernel, .redis:
      for field in labels.indices {
        out.append(contentsOf: labels[field])
        var value = Int64(walks[one.firstWalk + field].state)
        if field == 0 {
          if form == .kernel { value = one.auxiliary }
          if form == .redis { value = Int64(tick * workload.intervalSeconds) }
        }
        out.appendDecimal(value)
        out.append(UInt8(ascii: "i"))
      }
    case .fullFloats, .decimalFloats:
      for field in labels.indices {
        out.append(contentsOf: labels[field])
        let value = walks[one.firstWalk + field].state
        if form == .fullFloats { out.appendGeneral(value) } else { out.appendHundredths(Int64(value)) }
      }
    case .disk: appendDisk(one, labels, into: &out)
    case .memory: appendMemory(one, labels, into: &out)
    case .sampleCPU, .sampleMemory, .sampleDisk, .sampleNet:
      appendSample(form, one, labels, tick: tick, into: &out)
    }
  }

  private func appendDisk(_ one: Series, _ labels: [[UInt8]], into out: inout [UInt8]) {
    let total: Int64 = 1 << 40
    let free = Int64(walks[one.firstWalk + 1].state)
    let used = total - free
    let percent = Int64(100.0 * (Double(used) / Double(total)))
    let values = [total, free, used, percent, total / 4096, free / 4096, total / 4096 - free / 4096]
    appendIntegers(values, labels, into: &out)
  }

  private func appendMemory(_ one: Series, _ labels: [[UInt8]], into out: inout [UInt8]) {
    let total = one.auxiliary
    let (used, cached) = (Int64(walks[one.firstWalk].state), Int64(walks[one.firstWalk + 1].state))
    let buffered = Int64(walks[one.firstWalk + 2].state)
    let available = total - used
    appendIntegers([total, available, used, available, cached, buffered], labels, into: &out)
    let percents = [
      100.0 * (Double(used) / Double(total)), 100.0 * (Double(available) / Double(total)),
      100.0 * Double(buffered) / Double(total),
    ]
    for (index, value) in percents.enumerated() {
      out.append(contentsOf: labels[6 + index])
      out.appendGeneral(value)
    }
  }

  private func appendIntegers(_ values: [Int64], _ labels: [[UInt8]], into out: inout [UInt8]) {
    for (index, value) in values.enumerated() {
      out.append(contentsOf: labels[index])
      out.appendDecimal(value)
      out.append(UInt8(ascii: "i"))
    }
  }

  private func appendSample(
    _ form: WorkloadSchema.Form, _ one: Series, _ labels: [[UInt8]], tick: Int, into out: inout [UInt8]
  ) {
    func walk(_ field: Int) -> Double { walks[one.firstWalk + field].state }
    func hundredths(_ field: Int, _ value: Double) {
      out.append(contentsOf: labels[field])
      out.appendHundredths(Int64(value * 100))
    }
    switch form {
    case .sampleCPU:
      hundredths(0, walk(0))
      hundredths(1, walk(1))
      hundredths(2, 100 - walk(0) - walk(1))
      hundredths(3, walk(3))
      out.append(contentsOf: labels[4])
      out.append(contentsOf: (walk(0) > 60 ? "true" : "false").utf8)
    case .sampleMemory:
      appendIntegers([16_000_000_000, Int64(walk(1))], labels, into: &out)
      hundredths(2, walk(1) / 160_000_000)
    case .sampleDisk:
      appendIntegers([500_000_000_000, Int64(walk(1))], labels, into: &out)
      out.append(contentsOf: labels[2])
      out.append(contentsOf: (walk(1) > 400_000_000_000 ? "\"nearly full\"" : "\"ok\"").utf8)
    default: appendIntegers([Int64(walk(0)), Int64(walk(1)), Int64(walk(2))], labels, into: &out)
    }
  }
}

extension [UInt8] {
  /// Appends hundredths as C's "%g" would: `12.5`, `-0.07`, `3`.
  fileprivate mutating func appendHundredths(_ hundredths: Int64) {
    if hundredths < 0 { append(UInt8(ascii: "-")) }
    let magnitude = hundredths.magnitude
    appendDecimal(magnitude / 100)
    let rest = UInt8(truncatingIfNeeded: magnitude % 100)
    guard rest != 0 else { return }
    append(UInt8(ascii: "."))
    append(UInt8(ascii: "0") + rest / 10)
    if rest % 10 != 0 { append(UInt8(ascii: "0") + rest % 10) }
  }

  /// Appends a float as C's "%.17g" with as few digits as read back: an exponent below 1e-4.
  fileprivate mutating func appendGeneral(_ value: Double) {
    if value.magnitude >= 1e-4 || value == 0 { return appendFloat(value) }
    let number = DecimalDigits(value)
    if number.isNegative { append(UInt8(ascii: "-")) }
    let start = count
    appendDecimal(number.significand)
    let exponent = -(number.exponent + (count - start) - 1)
    if count - start > 1 { insert(UInt8(ascii: "."), at: start + 1) }
    append(contentsOf: (exponent < 10 ? "e-0" : "e-").utf8)
    appendDecimal(UInt64(exponent))
  }
}
