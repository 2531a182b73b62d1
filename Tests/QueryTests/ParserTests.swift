import Query
import Testing

@Suite("InfluxQL parser")
struct ParserTests {
  @Test(
    "statements print in one canonical form, which parses to itself",
    arguments: [
      ("select v from cpu", "SELECT v FROM cpu"),
      ("SELECT * FROM \"db\".\"rp\".\"m\"", "SELECT * FROM db.rp.m"),
      ("SELECT v FROM db..m", "SELECT v FROM db..m"),
      ("SELECT v FROM rp.m, /^cpu\\/x/, rp./a/", "SELECT v FROM rp.m, /^cpu\\/x/, rp./a/"),
      ("SELECT a+b*c-d/2 FROM m", "SELECT a + b * c - d / 2 FROM m"),
      ("SELECT (a+b)*c AS \"x y\" FROM m", "SELECT (a + b) * c AS \"x y\" FROM m"),
      ("SELECT -a, -5, -1.5, +3, -(a) FROM m", "SELECT -1 * a, -5, -1.5, 3, -1 * (a) FROM m"),
      ("SELECT mean(\"v\"::field), v::integer FROM m", "SELECT mean(v::field), v::integer FROM m"),
      ("SELECT *::tag, *::field FROM m", "SELECT *::tag, *::field FROM m"),
      ("SELECT count(distinct(v)), DISTINCT v FROM m", "SELECT count(distinct(v)), DISTINCT v FROM m"),
      ("SELECT MEAN(/^u/), percentile(v, 99.5) FROM m", "SELECT mean(/^u/), percentile(v, 99.5) FROM m"),
      (
        "SELECT mean(v) FROM m WHERE time > now() - 1h30m AND (h='a' OR h =~ /b/) GROUP BY time(10s, -2s), h fill(0)",
        "SELECT mean(v) FROM m WHERE time > now() - 90m AND (h = 'a' OR h =~ /b/) GROUP BY time(10s, -2s), h fill(0)"
      ),
      (
        "SELECT v FROM m GROUP BY *, /x/ ORDER BY time DESC LIMIT 5 OFFSET 6 SLIMIT 7 SOFFSET 8 tz('Europe/Berlin')",
        "SELECT v FROM m GROUP BY *, /x/ ORDER BY time DESC LIMIT 5 OFFSET 6 SLIMIT 7 SOFFSET 8 TZ('Europe/Berlin')"
      ),
      ("SELECT v FROM m WHERE time >= 1700000000000ms", "SELECT v FROM m WHERE time >= 1700000000s"),
      ("SELECT v FROM m WHERE a <> 5 AND b !~ /x/", "SELECT v FROM m WHERE a != 5 AND b !~ /x/"),
      ("SELECT v FROM m WHERE s = 'it\\'s \\n'", "SELECT v FROM m WHERE s = 'it\\'s \\n'"),
      ("SELECT max(m) FROM (SELECT mean(v) AS m FROM x)", "SELECT max(m) FROM (SELECT mean(v) AS m FROM x)"),
      ("SELECT v -- why\nFROM /* ; */ m", "SELECT v FROM m"),
      ("SELECT v INTO rp.t FROM m", "SELECT v INTO rp.t FROM m"),
      ("select v into \"d b\"..t from m", "SELECT v INTO \"d b\"..t FROM m"),
      ("SELECT * INTO d.rp.:measurement FROM /x/", "SELECT * INTO d.rp.:MEASUREMENT FROM /x/"),
      ("SELECT * INTO d..:MEASUREMENT FROM /x/", "SELECT * INTO d..:MEASUREMENT FROM /x/"),
      ("SELECT * INTO rp.:MEASUREMENT FROM m", "SELECT * INTO rp.:MEASUREMENT FROM m"),
      ("SELECT * INTO :MEASUREMENT FROM m", "SELECT * INTO :MEASUREMENT FROM m"),
      ("SELECT count(v) FROM m GROUP BY time(1mo), h", "SELECT count(v) FROM m GROUP BY time(1mo), h"),
      ("SELECT count(v) FROM m GROUP BY time(1y6mo, -3d)", "SELECT count(v) FROM m GROUP BY time(18mo, -3d)"),
      ("SELECT count(v) FROM m GROUP BY time(12mo)", "SELECT count(v) FROM m GROUP BY time(1y)"),
      ("kill query 36", "KILL QUERY 36"), ("KILL QUERY 36 ON \"host 1\"", "KILL QUERY 36 ON \"host 1\""),
      ("drop shard 110000000000", "DROP SHARD 110000000000"),
      (
        "SHOW measurements with measurement =~ /(?i)x/ limit 100",
        "SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)x/ LIMIT 100"
      ),
      ("show retention policies on \"graf\"", "SHOW RETENTION POLICIES ON graf"),
      (
        "SHOW TAG VALUES FROM \"cpu\" WITH KEY IN (\"a\", b) WHERE h='x'",
        "SHOW TAG VALUES FROM cpu WITH KEY IN (a, b) WHERE h = 'x'"
      ),
      ("SHOW FIELD KEYS FROM \"autogen\".\"cpu\"", "SHOW FIELD KEYS FROM autogen.cpu"),
      ("SHOW SERIES EXACT CARDINALITY ON d", "SHOW SERIES EXACT CARDINALITY ON d"),
      (
        "CREATE DATABASE x WITH DURATION 2d REPLICATION 1 SHARD DURATION 1h NAME \"y\"",
        "CREATE DATABASE x WITH DURATION 2d REPLICATION 1 SHARD DURATION 1h NAME y"
      ),
      (
        "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1 DEFAULT",
        "CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1 DEFAULT"
      ),
      (
        "ALTER RETENTION POLICY p ON d DEFAULT DURATION 1h",
        "ALTER RETENTION POLICY p ON d DURATION 1h DEFAULT"
      ),
      ("DELETE FROM m WHERE time < 5", "DELETE FROM m WHERE time < 5"),
      ("explain delete from /^m/, \"a b\" where h = 'x'", "EXPLAIN DELETE FROM /^m/, \"a b\" WHERE h = 'x'"),
      ("EXPLAIN DROP SERIES WHERE h !~ /x/", "EXPLAIN DROP SERIES WHERE h !~ /x/"),
      ("drop measurement \"m n\"", "DROP MEASUREMENT \"m n\""), ("EXPLAIN DROP MEASUREMENT m", "EXPLAIN DROP MEASUREMENT m"),
      ("EXPLAIN ANALYZE SELECT v FROM m", "EXPLAIN ANALYZE SELECT v FROM m"),
    ])
  func canonical(text: String, printed: String) throws {
    #expect(try QueryEngine.canonical(text) == [printed])
    #expect(try QueryEngine.canonical(printed) == [printed])
  }

  /// Each message is what InfluxDB 1.6.7 answers.
  @Test(
    "a text that does not parse is told as InfluxDB tells it",
    arguments: [
      (
        "FOO",
        "found FOO, expected SELECT, DELETE, SHOW, CREATE, DROP, EXPLAIN, GRANT, REVOKE, ALTER, SET, KILL at line 1, char 1"
      ),
      ("SELECT", "found EOF, expected identifier, string, number, bool at line 1, char 8"),
      ("SELECT v", "found EOF, expected FROM at line 1, char 10"),
      ("SELECT v, FROM cpu", "found FROM, expected identifier, string, number, bool at line 1, char 11"),
      ("SELECT v FROM cpu,", "found EOF, expected identifier at line 1, char 20"),
      (
        "SELECT usage FROM cpu WHERE",
        "found EOF, expected identifier, string, number, bool at line 1, char 29"
      ),
      ("SELECT v FROM cpu GROUP", "found EOF, expected BY at line 1, char 25"),
      ("SELECT v FROM cpu WHERE (v > 5", "found EOF, expected ) at line 1, char 31"),
      ("SELECT mean(v FROM cpu", "found FROM, expected ) at line 1, char 15"),
      ("SELECT v FROM cpu LIMIT -1", "found -, expected integer at line 1, char 25"),
      ("SELECT v FROM cpu ORDER BY v", "only ORDER BY time supported at this time"),
      ("SELECT v FROM cpu ORDER BY time, DESC", "found DESC, expected identifier at line 1, char 34"),
      ("SELECT mean(v) FROM cpu GROUP BY time(1m) fill(foo)", "expected number argument in fill()"),
      ("SELECT mean(v) FROM cpu tz('Nowhere/X')", "unable to find time zone Nowhere/X"),
      ("SELECT v FROM cpu WHERE host =~ 'a'", "found a, expected regex at line 1, char 32"),
      ("SELECT v FROM cpu / WHERE v > 1", "found  , expected regex at line 1, char 18"),
      ("SELECT v FROM rp.cpu /x/", "found  , expected regex at line 1, char 21"),
      (
        "SELECT v FROM cpu WHERE host = 'a",
        "found a, expected identifier, string, number, bool at line 1, char 31"
      ),
      (
        "SELECT v FROM cpu WHERE s = 'a\\q'",
        "found \\q, expected identifier, string, number, bool at line 1, char 32"
      ),
      (
        "SELECT v AND n FROM cpu",
        "invalid operator AND in SELECT clause at line 1, char 8; operator is intended for WHERE clause"
      ),
      (
        "SELECT v > 5 FROM cpu",
        "invalid operator > in SELECT clause at line 1, char 8; operator is intended for WHERE clause"
      ),
      (
        "SELECT v FROM cpu; SELECT", "found EOF, expected identifier, string, number, bool at line 1, char 27"
      ),
      ("SHOW MEASUREMENTS\nSELECT v FROM cpu", "found SELECT, expected ; at line 2, char 1"),
      (
        "SELECT v FROM cpu WHERE x ^^ 5",
        "found ^, expected identifier, string, number, bool at line 1, char 28"
      ),
      (
        "SELECT v::foo FROM cpu",
        "found foo, expected float, integer, unsigned, string, boolean, field, tag at line 1, char 11"
      ),
      ("SELECT distinct FROM cpu", "found FROM, expected identifier at line 1, char 17"),
      ("SELECT v FROM \"a\".\"b\".\"c\".\"d\"", "too many segments in \"a\".\"b\".\"c\".d at line 1, char 1"),
      ("SELECT v FROM cpu WHERE time > 5x", "invalid duration"),
      ("SELECT v FROM cpu WHERE time > 1mo", "invalid duration"),
      ("SELECT v FROM cpu GROUP BY time(1mo1d)", "invalid duration"),
      ("SELECT elapsed(v, 1y) FROM cpu", "invalid duration"),
      ("SELECT v INTO /x/ FROM cpu", "found /, expected identifier at line 1, char 15"),
      ("SELECT v INTO d.rp.:x FROM cpu", "found x, expected :MEASUREMENT at line 1, char 21"),
      ("SELECT v FROM (SELECT v INTO x FROM cpu)", "found INTO, expected FROM at line 1, char 25"),
      ("KILL QUERY x", "found x, expected integer at line 1, char 12"),
      ("KILL QUERY 5 ON", "found EOF, expected identifier at line 1, char 17"),
      ("DROP SHARD x", "found x, expected integer at line 1, char 12"),
      ("KILL QUERY 99999999999999999999", "unable to parse integer at line 1, char 12"),
      ("SELECT v FROM cpu WHERE v > 99999999999999999999", "unable to parse integer at line 1, char 29"),
      (
        "SELECT v FROM cpu WHERE v > -",
        "found EOF, expected identifier, number, duration, ( at line 1, char 30"
      ),
      ("SELECT v FROM cpu WHERE v = $x", "missing parameter: x"),
      ("DELETE", "found EOF, expected FROM, WHERE at line 1, char 8"),
      ("DROP SERIES", "found EOF, expected FROM, WHERE at line 1, char 13"),
      ("EXPLAIN SHOW SERIES", "found SHOW, expected SELECT at line 1, char 9"),
      ("EXPLAIN ANALYZE DELETE FROM m", "found DELETE, expected SELECT at line 1, char 17"),
      ("SHOW TAG", "found EOF, expected KEY, KEYS, VALUES at line 1, char 10"),
      ("SHOW MEASUREMENT", "found EOF, expected EXACT, CARDINALITY at line 1, char 18"),
      ("SHOW TAG VALUES WITH KEY", "found EOF, expected IN, =, =~ at line 1, char 26"),
      ("CREATE DATABASE x y", "found y, expected ; at line 1, char 19"),
      ("CREATE DATABASE x WITH", "found EOF, expected DURATION, NAME, REPLICATION, SHARD at line 1, char 24"),
      ("CREATE RETENTION POLICY a ON b DURATION 1h", "found EOF, expected REPLICATION at line 1, char 43"),
      (
        "CREATE RETENTION POLICY a ON b DURATION 1h REPLICATION 0",
        "invalid value 0: must be 1 <= n <= 2147483647 at line 1, char 56"
      ),
      (
        "ALTER RETENTION POLICY a ON b FOO",
        "found FOO, expected DURATION, REPLICATION, SHARD, DEFAULT at line 1, char 31"
      ),
      ("GRANT", "found EOF, expected READ, WRITE, ALL [PRIVILEGES] at line 1, char 7"),
      ("KILL QUERY", "found EOF, expected integer at line 1, char 12"),
      ("EXPLAIN SHOW", "found SHOW, expected SELECT at line 1, char 9"),
    ])
  func failures(text: String, message: String) {
    let error = #expect(throws: QueryParseError.self) { try QueryEngine.canonical(text) }
    #expect(error?.message == "error parsing query: " + message)
  }

  @Test(
    "an error points at the byte to blame",
    arguments: [("SELECT v FRM cpu", 9), ("SELECT 'é', FROM x", 13), ("SELECT\nv\nFRM", 9)])
  func offsets(text: String, offset: Int) {
    let error = #expect(throws: QueryParseError.self) { try QueryEngine.canonical(text) }
    #expect(error?.offset == offset)
  }

  @Test(
    "bind parameters stand for literals",
    arguments: [
      ("'a b'", "'a b'"), ("5", "5"), ("-5", "-5"), ("1.5", "1.5"), ("true", "true"), ("10s", "10s"),
    ])
  func parameters(value: String, printed: String) throws {
    #expect(
      try QueryEngine.canonical("SELECT v FROM m WHERE x = $p", parameters: ["p": value])
        == ["SELECT v FROM m WHERE x = \(printed)"])
    #expect(
      try QueryEngine.canonical("SELECT v FROM m WHERE x =~ $\"p q\"", parameters: ["p q": "/a\\/b/"])
        == ["SELECT v FROM m WHERE x =~ /a\\/b/"])
  }

  @Test(
    "reserved words are so in letters of any size, and words beside them are names",
    arguments: ["select", "from", "cardinality", "subscriptions", "by", "measurements", "or", "where"])
  func reservedWords(word: String) throws {
    for spelled in [word, word.uppercased(), word.prefix(1).uppercased() + word.dropFirst()] {
      #expect(throws: QueryParseError.self) { try QueryEngine.canonical("SELECT v FROM \(spelled)") }
    }
    for name in [word + "s1", "_" + word, word + "_", word.dropLast() + "_", word.dropLast() + "0"] {
      #expect(try QueryEngine.canonical("SELECT v FROM \(name)") == ["SELECT v FROM \(name)"])
    }
  }

  @Test("a parameter is one literal, not a piece of text")
  func parameterInjection() {
    #expect(throws: QueryParseError.self) {
      try QueryEngine.canonical("SELECT v FROM m WHERE x = $p", parameters: ["p": "5 OR true"])
    }
  }

  @Test("nesting is bounded, and a long list of alternatives is not nesting")
  func depth() throws {
    let deep = String(repeating: "(", count: 100_000) + "1"
    for text in [
      "SELECT v FROM m WHERE x = " + deep, "SELECT " + String(repeating: "f(", count: 100_000),
      "SELECT " + String(repeating: "-(", count: 100_000),
      "SELECT v" + String(repeating: " + v", count: 100_000),
      "SELECT v FROM " + String(repeating: "(SELECT v FROM ", count: 100_000),
    ] {
      #expect(throws: QueryParseError.self) { try QueryEngine.canonical(text) }
    }
    let wide = "SELECT v FROM m WHERE " + (0..<20_000).map { "h = '\($0)'" }.joined(separator: " OR ")
    #expect(try QueryEngine.canonical(wide) == [wide])
  }

  @Test("every prefix and every flipped byte of a text parses or fails, and does not trap")
  func foreignBytes() {
    let text = Array(
      "SELECT mean(\"a\"::field)/2, /x/ FROM \"d\".\"r\".m WHERE t=~/a\\/b/ AND time>now()-1h GROUP BY time(1m) fill(0)"
        .utf8)
    for index in text.indices {
      _ = try? QueryEngine.canonical(String(decoding: text[..<index], as: UTF8.self))
      for bit in 0..<8 {
        var flipped = text
        flipped[index] ^= 1 << UInt8(bit)
        _ = try? QueryEngine.canonical(String(decoding: flipped, as: UTF8.self))
      }
    }
  }
}
