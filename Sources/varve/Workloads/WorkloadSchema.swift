/// What the generator writes: measurements, their fields in the order written, and how each begins.
///
/// Measurements, tags, order and formats of `cpu` and `devops` are those of TSBS (`pkg/data/usecases/devops`).
enum WorkloadSchema {
  struct Field {
    var name: String
    var walk: Walk
  }
  /// How a measurement's lines are written.
  enum Form {
    /// Each walk, cut to an integer.
    case integers
    case fullFloats
    case decimalFloats
    case disk
    case memory
    /// The first field is the boot time.
    case kernel
    /// The first field is the uptime.
    case redis
    case sampleCPU, sampleMemory, sampleDisk, sampleNet
  }
  struct Measurement {
    var name: String
    var form: Form
    var fields: [Field]
  }

  static func measurements(of kind: Workload.Kind) -> [Measurement] {
    switch kind {
    case .cpu: [cpu]
    case .fullGauge: [gauge(.fullFloats)]
    case .decimalGauge: [gauge(.decimalFloats)]
    case .devops: [cpu, diskIO, disk, kernel, memory, net, nginx, postgres, redis]
    case .small: [load]
    case .sample: [sampleCPU, sampleMemory, sampleDisk, sampleNet]
    }
  }

  static let regions = [
    "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "ap-southeast-2",
    "ap-northeast-1", "sa-east-1",
  ]
  /// The letters of each region's datacenters.
  static let datacenters = ["abce", "ab", "abc", "abc", "ab", "ab", "ab", "ac", "abc"]
  static let systems = ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"]
  static let teams = ["SF", "NYC", "LON", "CHI"]
  static let environments = ["production", "staging", "test"]
  static let fileSystems = ["ext3", "ext4", "btrfs"]

  private static func fields(_ names: String, _ walk: Walk) -> [Field] {
    names.split(separator: " ").map { Field(name: String($0), walk: walk) }
  }

  private static let percent = Walk.clamped(0, 1, 0, 100, 0)
  private static let cpu = Measurement(
    name: "cpu", form: .integers,
    fields: fields(
      "usage_user usage_system usage_idle usage_nice usage_iowait usage_irq usage_softirq usage_steal usage_guest "
        + "usage_guest_nice", percent))
  private static func gauge(_ form: Form) -> Measurement {
    Measurement(name: "gauge", form: form, fields: fields("v0 v1 v2 v3 v4", .free(0, 1)))
  }
  private static let load = Measurement(
    name: "load", form: .decimalFloats, fields: fields("value", .clamped(0, 25, 0, 9_999, 0)))
  private static let diskIO = Measurement(
    name: "diskio", form: .integers,
    fields: fields("reads writes", .rising(50, 1)) + fields("read_bytes write_bytes", .rising(100, 1))
      + fields("read_time write_time io_time", .rising(5, 1)))
  private static let disk: Measurement = {
    var disk = Measurement(
      name: "disk", form: .disk,
      fields: fields("total free used used_percent inodes_total inodes_free inodes_used", .still))
    disk.fields[1].walk = .clamped(50, 1, 0, 1_099_511_627_776, 549_755_813_888)
    return disk
  }()
  private static let kernel = Measurement(
    name: "kernel", form: .kernel,
    fields: fields("boot_time", .still)
      + fields("interrupts context_switches processes_forked disk_pages_in disk_pages_out", .rising(5, 1)))
  private static let memory = Measurement(
    name: "mem", form: .memory,
    fields: fields(
      "total available used free cached buffered used_percent available_percent buffered_percent", .still))
  private static let net = Measurement(
    name: "net", form: .integers,
    fields: fields("bytes_sent bytes_recv packets_sent packets_recv", .rising(50, 1))
      + fields("err_in err_out drop_in drop_out", .rising(5, 1)))
  private static let nginx = Measurement(
    name: "nginx", form: .integers,
    fields: fields("accepts", .rising(5, 1)) + fields("active", .clamped(5, 1, 0, 100, 0))
      + fields("handled", .rising(5, 1)) + fields("reading", .clamped(5, 1, 0, 100, 0))
      + fields("requests", .rising(5, 1)) + fields("waiting writing", .clamped(5, 1, 0, 100, 0)))
  private static let postgres = Measurement(
    // The name is TSBS's, misspelt there.
    name: "postgresl", form: .integers,
    fields: fields(
      "numbackends xact_commit xact_rollback blks_read blks_hit tup_returned tup_fetched tup_inserted tup_updated "
        + "tup_deleted conflicts temp_files", .clamped(5, 1, 0, 1000, 0))
      + fields("temp_bytes", .clamped(1024, 1, 0, 1_073_741_824, 0))
      + fields("deadlocks blk_read_time blk_write_time", .clamped(5, 1, 0, 1000, 0)))
  private static let redis = Measurement(
    name: "redis", form: .redis,
    fields: fields("uptime_in_seconds", .still) + fields("total_connections_received", .rising(5, 1))
      + fields("expired_keys evicted_keys keyspace_hits keyspace_misses", .rising(50, 1))
      + fields("instantaneous_ops_per_sec instantaneous_input_kbps instantaneous_output_kbps", .free(1, 1))
      + fields("connected_clients", .clamped(50, 1, 0, 10_000, 0))
      + fields(
        "used_memory used_memory_rss used_memory_peak used_memory_lua",
        .clamped(50, 1, 0, 17_179_869_184, 8_589_934_592))
      + fields("rdb_changes_since_last_save", .clamped(50, 1, 0, 10_000, 0))
      + fields(
        "sync_full sync_partial_ok sync_partial_err pubsub_channels pubsub_patterns latest_fork_usec connected_slaves "
          + "master_repl_offset repl_backlog_active repl_backlog_size repl_backlog_histlen",
        .clamped(5, 1, 0, 1000, 0))
      + fields("mem_fragmentation_ratio", .clamped(5, 1, 0, 100, 0))
      + fields(
        "used_cpu_sys used_cpu_user used_cpu_sys_children used_cpu_user_children", .clamped(5, 1, 0, 1000, 0))
  )

  // The sample's values swing like those of real machines: percentages around a level, counters that rise.
  private static let sampleCPU = Measurement(
    name: "cpu", form: .sampleCPU,
    fields: [
      Field(name: "usage_user", walk: .clamped(0, 2, 0, 80, 25)),
      Field(name: "usage_system", walk: .clamped(0, 0.8, 0, 20, 6)), Field(name: "usage_idle", walk: .still),
      Field(name: "load1", walk: .clamped(0, 0.15, 0, 16, 1.5)), Field(name: "throttled", walk: .still),
    ])
  private static let sampleMemory = Measurement(
    name: "mem", form: .sampleMemory,
    fields: [
      Field(name: "total", walk: .still),
      Field(name: "used", walk: .clamped(0, 60_000_000, 1_000_000_000, 15_000_000_000, 6_000_000_000)),
      Field(name: "used_percent", walk: .still),
    ])
  private static let sampleDisk = Measurement(
    name: "disk", form: .sampleDisk,
    fields: [
      Field(name: "total", walk: .still),
      Field(name: "used", walk: .clamped(20_000_000, 40_000_000, 0, 480_000_000_000, 120_000_000_000)),
      Field(name: "state", walk: .still),
    ])
  private static let sampleNet = Measurement(
    name: "net", form: .sampleNet,
    fields: [
      Field(name: "bytes_sent", walk: .rising(900_000, 300_000)),
      Field(name: "bytes_recv", walk: .rising(2_400_000, 700_000)),
      Field(name: "err_in", walk: .rising(0, 0.02)),
    ])
}
