import TestSupport
import Testing

/// What Telegraf and Proxmox VE send, request by request and datagram by datagram as their sources make them, and the answers by which
/// they decide whether points are sent again, given up or taken for stored.
@Suite("Senders: Telegraf and Proxmox VE", .serialized)
struct SenderTests {
  private func withServer(_ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      try body(server)
      #expect(server.stop() == 0)
    }
  }

  // MARK: Telegraf

  private static let telegrafHeaders = [
    "User-Agent: Telegraf/1.30.0 Go/1.22.1", "Content-Type: text/plain; charset=utf-8", "Content-Encoding: gzip",
    // telegraf:metricsmetricsmetricsmetrics, which nobody here asks for.
    "Authorization: Basic dGVsZWdyYWY6bWV0cmljc21ldHJpY3NtZXRyaWNzbWV0cmljcw==",
  ]

  private static let metrics = """
    cpu,cpu=cpu-total,host=web01 usage_idle=97.5,usage_user=1.25,usage_system=0.75 1700000000000000000
    disk,device=sda1,fstype=ext4,host=web01,mode=rw,path=/var\\ log free=123456789i,total=999999999i,used_percent=12.5 1700000000000000000
    system,host=web01 uptime=86400i,uptime_format="1 day, 0:00" 1700000000000000000

    """

  private func write(_ server: ServerProcess, _ target: String, _ lines: String) throws -> RawHTTP {
    try RawHTTP.askChunked(
      server.http, target, headers: Self.telegrafHeaders, body: try gzip(Array(lines.utf8)), chunk: 100)
  }

  @Test("Telegraf makes its database, then its packed bodies without a length are stored")
  func telegraf() throws {
    try withServer { server in
      let target = "/write?db=telegraf&consistency=any"
      // It starts to write where the database could not be made, and makes it when it hears this.
      let missing = try write(server, target, Self.metrics)
      #expect(missing.status == 404 && missing.text == "{\"error\":\"database not found: \\\"telegraf\\\"\"}\n", "\(missing.text)")
      let made = try RawHTTP.ask(
        server.http, "POST", "/query", headers: ["Content-Type: application/x-www-form-urlencoded"],
        body: Array("q=\(percentEncoded("CREATE DATABASE \"telegraf\""))".utf8))
      #expect(made.status == 200 && made.text == "{\"results\":[{\"statement_id\":0}]}\n", "\(made.text)")
      let stored = try write(server, target, Self.metrics)
      #expect(stored.status == 204 && stored.body.isEmpty && stored.headers["x-influxdb-version"]?.hasPrefix("1.8") == true)
      let disk = try server.ask("SELECT free, path FROM disk", database: "telegraf").first
      #expect(disk?.values == [[.integer(1_700_000_000_000_000_000), .integer(123_456_789), .string("/var log")]])
      #expect(try server.count("usage_idle", of: "cpu", database: "telegraf") == 1)
    }
  }

  @Test("what Telegraf must not send again is 400, with the words it looks for; good lines are kept")
  func telegrafRefusals() throws {
    try withServer { server in
      _ = try server.ask("CREATE DATABASE telegraf")
      let partial = try write(server, "/write?db=telegraf", Self.metrics + "broken line without fields\n")
      #expect(partial.status == 400 && partial.text.hasPrefix("{\"error\":\"partial write: "), "\(partial.text)")
      #expect(try server.count("free", of: "disk", database: "telegraf") == 1)
      let broken = try write(server, "/write?db=telegraf", "broken\n")
      #expect(broken.status == 400 && broken.text.hasPrefix("{\"error\":\"unable to parse 'broken': "), "\(broken.text)")
      let policy = try write(server, "/write?db=telegraf&rp=nosuch", Self.metrics)
      // InfluxDB's status too: the words keep Telegraf from sending it again.
      #expect(policy.status == 500 && policy.text.contains("retention policy not found"), "\(policy.status) \(policy.text)")
    }
  }

  @Test("Telegraf's second writer sends a token, an organisation and a bucket")
  func telegrafSecond() throws {
    try withServer { server in
      _ = try server.ask("CREATE DATABASE telegraf")
      let body = try gzip(Array(Self.metrics.utf8))
      let headers = ["Authorization: Token secret", "Content-Encoding: gzip", "Content-Type: text/plain; charset=utf-8"]
      for bucket in ["telegraf", "telegraf/autogen"] {
        let answer = try RawHTTP.askChunked(
          server.http, "/api/v2/write?bucket=\(percentEncoded(bucket))&org=influx", headers: headers, body: body, chunk: 512)
        #expect(answer.status == 204, "\(answer.text)")
      }
      #expect(try server.count("uptime", of: "system", database: "telegraf") == 1)
    }
  }

  @Test("Telegraf's datagrams hold a metric each")
  func telegrafDatagrams() throws {
    try withServer { server in
      let socket = try TestSocket(server.udp, isDatagram: true)
      for line in Self.metrics.split(separator: "\n") { try socket.send(line + "\n") }
      let page = try server.metrics { $0.accepted("udp") == 3 }
      #expect(page.accepted("udp") == 3 && page.rejected("udp") == 0)
    }
  }

  // MARK: Proxmox VE

  /// As `PVE::Status::InfluxDB` writes guests and storages: only white space of a tag's value is escaped, numbers are floats, times seconds
  /// made nanoseconds.
  private static let guests = """
    system,object=qemu,vmid=100,nodename=pve1,host=web\\ server,type=qemu cpu=0.0125,cpus=4,maxmem=8589934592,mem=4294967296,netin=123456,uptime=86400,status="running" 1700000000000000000
    system,object=storages,nodename=pve1,host=local-lvm,type=lvmthin active=1,avail=500000000000,total=900000000000,used=400000000000 1700000000000000000
    cpustat,object=nodes,host=pve1 avg1=0.15,avg5=0.2,cpus=16,idle=123456,user=2345 1700000000000000000

    """

  @Test("Proxmox VE finds the server in health and writes through the second interface")
  func proxmox() throws {
    try withServer { server in
      let health = try RawHTTP.ask(server.http, "GET", "/health")
      #expect(health.status == 200 && health.text.contains("\"status\":\"pass\""))
      let target = "/api/v2/write?org=proxmox&bucket=proxmox"
      let headers = ["Authorization: Token secret", "User-Agent: libwww-perl/6.68"]
      let missing = try RawHTTP.ask(server.http, "POST", target, headers: headers, body: Array(Self.guests.utf8))
      #expect(missing.status == 404 && missing.text.contains("proxmox"), "\(missing.text)")
      _ = try server.ask("CREATE DATABASE proxmox")
      let start = ContinuousClock.now
      let stored = try RawHTTP.ask(server.http, "POST", target, headers: headers, body: Array(Self.guests.utf8))
      // It gives up after a second.
      #expect(stored.status == 204 && ContinuousClock.now - start < .seconds(1))
      let rows = try server.ask("SELECT mem, host, status FROM system WHERE vmid = '100'", database: "proxmox").first
      #expect(rows?.values.first?.dropFirst() == [.integer(4_294_967_296), .string("web server"), .string("running")])
    }
  }

  @Test("a guest whose name has a comma costs its own line, not its neighbours'")
  func proxmoxDatagrams() throws {
    try withServer { server in
      let socket = try TestSocket(server.udp, isDatagram: true)
      let broken = "system,object=lxc,vmid=101,host=a,b,type=lxc cpu=0.5 1700000000000000000\n"
      try socket.send(Self.guests + broken)
      let page = try server.metrics { $0.accepted("udp") + $0.rejected("udp") == 4 }
      #expect(page.accepted("udp") == 3 && page.rejected("udp") == 1)
      #expect(try server.count("cpu", of: "system") == 1)
    }
  }
}
