import Testing

@Suite("varve verify and varve repair")
struct RepairCommandTests {
  @Test(
    "damage is found, a dry run changes nothing, a repair sets it aside and says what is lost; the exit status tells"
  )
  func repair() throws {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    #expect(try command.run("varve import --data d --database metrics Fixtures/sample.lp").status == 0)
    let clean = try command.run("varve verify --data d")
    #expect(clean.status == 0 && clean.output.hasSuffix(": no damage\n") && clean.errors.isEmpty, "\(clean)")
    #expect(try command.run("varve repair --data d").output == "no damage\n")
    // A block of rows of the first table.
    _ = try command.run(
      "printf '\\377' | dd of=$(ls d/tables/*/*.sst | head -1) bs=1 seek=40 conv=notrunc status=none")
    let found = try command.run("varve verify --data d")
    #expect(
      found.status == 1 && found.output.hasPrefix("tables/0000001/") && found.output.contains("1 problems"),
      "\(found)")
    #expect(
      try command.run("varve verify --data d --format json").output.contains(
        "\"problems\":[{\"file\":\"tables/"))
    let strict = try command.run("varve query --data d --strict 'SELECT * FROM cpu'")
    #expect(strict.status == 1 && strict.errors.contains("would lack what is damaged"), "\(strict.errors)")
    let planned = try command.run("varve repair --data d --dry-run")
    #expect(
      planned.status == 1 && planned.output.contains("would do: tables/")
        && planned.output.contains("lost: metrics.autogen cpu,host="))
    #expect(try command.run("varve verify --data d").output == found.output)
    let repaired = try command.run("varve repair --data d")
    #expect(
      repaired.status == 1 && repaired.output.contains("set aside as quarantine/0000001-"),
      "\(repaired.output)")
    #expect(try command.run("ls d/quarantine").output.contains(".sst\nreport-1.json\n"))
    #expect(try command.run("varve repair --data d").status == 0)
    #expect(try command.run("varve verify --data d").status == 0)
    #expect(try command.run("varve query --data d --strict 'SELECT count(usage_user) FROM cpu'").status == 0)
    let misused = try command.run("varve repair")
    #expect(misused.status == 2 && misused.errors.contains("--data DIR"))
    let absent = try command.run("varve repair --data nowhere")
    #expect(absent.status == 1 && absent.errors.contains("nowhere"), "\(absent.errors)")
  }
}
