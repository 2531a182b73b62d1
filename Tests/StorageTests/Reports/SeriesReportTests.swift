import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Report of series")
struct SeriesReportTests {
  @Test("series are counted once however many windows, tables and parts hold them; bytes are shared by rows")
  func counted() throws {
    let bench = try ClockedStore()
    let day: Int64 = 86_400_000_000_000
    for age in 0..<3 as Range<Int64> {
      var lines = ""
      for host in 0..<20 {
        lines += "cpu,host=h\(host),zone=z\(host % 2) v=1 \(ClockedStore.start - age * 8 * day)\n"
        if host == 7 {
          for row in 1..<500 as Range<Int64> {
            lines += "cpu,host=h7,zone=z1 v=1 \(ClockedStore.start - age * 8 * day - row)\n"
          }
        }
      }
      try bench.driver.write(lines + "mem,host=h1 free=1 \(ClockedStore.start - age * 8 * day)\n")
      try bench.store.flush()
    }
    try bench.driver.write("cpu,host=new,zone=z0 v=1 \(ClockedStore.start)\n")
    let report = try bench.store.seriesReport(top: 3)
    let total = try #require(report.databases.first)
    #expect(total.database == "metrics" && total.series == 22 && total.liveSeries >= 1)
    #expect(total.bytes > 0 && total.bytes < bench.store.statistics().databases[0].tableBytes)
    func entries(_ kind: SeriesReport.Kind) -> [SeriesReport.Entry] { report.entries.filter { $0.kind == kind } }
    #expect(entries(.measurement).map(\.measurement) == ["cpu", "mem"])
    #expect(entries(.measurement).map(\.series) == [21, 1])
    #expect(entries(.measurement).reduce(0) { $0 + $1.bytes } == total.bytes)
    #expect(entries(.tagKey).map { "\($0.measurement).\($0.key ?? "") \($0.series) \($0.values ?? 0)" }.sorted() == [
      "cpu.host 21 21", "cpu.zone 21 2", "mem.host 1 1",
    ])
    let values = entries(.tagValue)
    #expect(values.map { "\($0.key ?? "")=\($0.value ?? "") \($0.series)" } == ["zone=z0 11", "zone=z1 10", "host=h7 1"])
    // 500 of 519 rows, and one of 22 series of each table's filter.
    let cpu = Double(entries(.measurement)[0].bytes)
    #expect(Double(values[2].bytes) > 0.75 * cpu && Double(values[2].bytes) < 0.96 * cpu)
    #expect(throws: StorageError.self) { try bench.store.seriesReport(top: 3, database: "nothing") }
  }

  @Test("a sample is exact up to its bound, and beyond it close, whatever comes twice")
  func sample() {
    func key(_ number: Int) -> ArraySlice<UInt8> {
      SeriesKey(measurement: Array("m".utf8), tags: [(Array("id".utf8), Array("\(number)".utf8))]).bytes[...]
    }
    var sample = SeriesSample(countMax: 2_000)
    for _ in 0..<2 { for number in 0..<2_000 { sample.add(key(number), byteCount: 1) } }
    #expect(sample.count == 2_000 && sample.weight == 1)
    #expect(sample.series.values.reduce(0) { $0 + $1.byteCount } == 4_000)
    for number in 0..<40_000 { sample.add(key(number), byteCount: 1) }
    #expect(sample.series.count <= 2_000 && sample.weight > 1)
    // 1.2 ÷ √2,000 is 2.7 %.
    #expect(abs(sample.count - 40_000) < 4_000, "\(sample.count)")
  }
}
