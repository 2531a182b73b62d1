import Glibc
import TestSupport
import Testing
import varve

@Suite("Export as tables, and back")
struct TableExportTests {
  /// All types of one field, strings that need escapes, numbers that text could bend, times before 1970, and several windows.
  private static let mixed =
    "mix,host=a v=1i,s=\"a\\\"b\\\\\nc,d\",ok=true,u=18446744073709551615u 1\nmix,host=a v=1.5,s=\"\" 2\n"
    + "mix v=-0.0,e=5e-324,f=0.1,g=1.7976931348623157e308 3\nmix,h\\ x=a\\,b v=\"t\" 4\nmix,host=b ok=false 5\n"
    + "other,host=\u{fc} v=-9223372036854775808i,w=false -5\nother,host=\u{fc} v=9223372036854775807i 86400000000000\n"

  private func command() throws -> BuiltCommand {
    let command = try #require(try BuiltCommand(), "varve is not built beside the tests")
    try command.write(Self.mixed, to: "mixed.lp")
    #expect(try command.run("varve import --data d mixed.lp Fixtures/sample.lp").status == 0)
    return command
  }

  @Test("points come back to the bit: from the log, from tables, from both; through a file, a pipe, packed")
  func roundTrip() throws {
    let command = try command()
    // Flushed, then written over and added to, so that runs meet.
    let outcome = try command.run(
      """
      exact() { varve export --data d >a; varve export --data $1 | cmp - a && wc -l <a; }
      varve export --data d --format sst --output t.tar && varve import --data e t.tar && exact e
      varve compact --data d 2>/dev/null >/dev/null; printf 'mix,host=a v=7i 1\\nmix,host=c v=8i 1\\n' | varve import --data d
      varve export --data d --format sst --output t.tar.gz && varve import --data f t.tar.gz && exact f
      varve export --data d --format sst | varve import --data g && exact g
      tar tf t.tar.gz | grep -c '^tables/[0-9]*/[0-9TZ]*-[0-9]*[.]sst$'
      """)
    let numbers = outcome.output.split(separator: "\n").compactMap { Int($0) }
    #expect(
      outcome.status == 0 && numbers.count == 4 && numbers[0] > 11_000 && numbers[1] == numbers[0] + 1,
      "\(outcome.output) \(outcome.errors)")
    #expect(numbers.last ?? 0 >= 3, "a table a window")
  }

  @Test("tables of a store that are wanted whole are in it as they lie there; a part of one is written anew")
  func wholeTables() throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve compact --data d >/dev/null 2>&1
      whole() { rm -rf x; mkdir x; varve export --data d --format sst "$@" | tar xf - -C x; found=0
        for file in $(find x -name '*.sst'); do for stored in $(find d/tables -name '*.sst'); do cmp -s $file $stored && found=$((found + 1)); done; done
        echo "$found of $(find x -name '*.sst' | wc -l) of $(find d/tables -name '*.sst' | wc -l)"; }
      whole; whole --start 1970-01-01 --end 1970-01-03; whole --start 1970-01-01T00:00:00.000000002Z --end 1970-01-03; whole --measurement mix
      """)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4, "\(outcome.output) \(outcome.errors)")
    let counts = lines.map { $0.split(separator: " ").compactMap { Int($0) } }
    #expect(counts[0][0] == counts[0][2] && counts[0][1] == counts[0][2] && counts[0][2] >= 3, "\(counts)")
    #expect(counts[1][0] == 1 && counts[1][1] == 1, "\(counts)")
    #expect(counts[2][0] == 0 && counts[2][1] == 1, "\(counts)")
    #expect(counts[3][0] == 0 && counts[3][1] >= 1, "\(counts)")
  }

  @Test("what is deleted and not merged away yet is in no table that goes out")
  func deleted() throws {
    let command = try command()
    let server = try StartedServer(command)
    let outcome = try command.run(
      """
      varve import --database x mixed.lp && varve compact >/dev/null 2>&1
      varve query --database x "DELETE FROM mix WHERE host = 'a'" >/dev/null; varve export --database x >a; wc -l <a
      varve export --database x --format sst | varve import --data e && varve export --data e | cmp - a && echo same
      """)
    #expect(outcome.output == "5\nsame\n", "\(outcome.output) \(outcome.errors)")
    #expect(server.stop() == 0)
  }

  @Test("a table with a damaged block is not handed on: the export fails with its place")
  func damagedStore() throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve compact --data d >/dev/null 2>&1; file=$(find d/tables -name '*.sst' -printf '%s %p\\n' | sort -n | tail -1 | cut -d' ' -f2)
      size=$(stat -c %s $file); cp $file whole
      for part in 1 3 5 7 9; do
        place=$((size * part / 10)); cp whole $file; byte=$(od -An -tu1 -j $place -N 1 $file)
        printf "\\\\x$(printf %02x $((byte ^ 16)))" | dd of=$file bs=1 seek=$place conv=notrunc 2>/dev/null
        varve export --data d --format sst --output t.tar 2>words; echo "$? $(grep -c "$(basename $file)" words) $(test -e t.tar; echo $?)"
      done | sort | uniq -c | tr -s ' '
      """)
    #expect(outcome.output == " 5 1 1 1\n", "\(outcome.output) \(outcome.errors)")
  }

  @Test("what is asked for is in it and nothing else", arguments: [
    "--measurement other", "--measurement mix --where \"host = 'a' AND v > 1\"", "--where \"s = ''\"",
    "--start 2026-01-01T01:00:00Z --end 2026-01-01T01:10:00Z", "--measurement nothing", "--end 1970 --tz Asia/Tokyo",
    "--measurement cpu --measurement mem --where 'usage_user > 40 OR used_percent > 50'",
  ])
  func selection(flags: String) throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve export --data d \(flags) --output a
      varve export --data d \(flags) --format sst --output t.tar && varve import --data e t.tar
      varve query --data e 'CREATE DATABASE metrics' >/dev/null 2>&1; varve export --data e | cmp - a && echo same
      """)
    #expect(outcome.output == "same\n", "\(outcome.errors)")
  }

  @Test("a tar is asked without a server, beside other files, and answers as lines do")
  func questions() throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve export --data d --format sst --output t.tar; gzip -k t.tar
      ask() { varve query "$@" --precision ns 'SELECT * FROM mix; SELECT mean(usage_user) FROM cpu GROUP BY host; SHOW FIELD KEYS FROM mix'; }
      ask --from mixed.lp --from Fixtures/sample.lp >a
      ask --from t.tar | cmp - a && ask --from t.tar.gz | cmp - a && ask --data d | cmp - a && grep -c alder a
      printf 'more v=1 1\\n' >more.lp; varve query --from t.tar --from more.lp 'SHOW MEASUREMENTS' | tail -3 | xargs
      """)
    #expect(outcome.output == "1\nmore net other\n" || outcome.output == "1\nmix more net other\n", "\(outcome.output) \(outcome.errors)")
  }

  @Test("a server gives and takes the same tar; imported twice it doubles nothing")
  func server() throws {
    let command = try command()
    let server = try StartedServer(command)
    let outcome = try command.run(
      """
      varve export --data d --format sst --output t.tar; varve import --database x t.tar; varve import --database x t.tar
      varve export --data d >a; varve export --database x | cmp - a && echo same
      varve export --database x --format sst --output u.tar; varve import --data e u.tar; varve export --data e | cmp - a && echo same
      curl -s -o /dev/null -w '%{content_type}' "$VARVE_SERVER/export?db=x&format=sst"
      """)
    #expect(outcome.output == "same\nsame\napplication/x-tar", "\(outcome.output) \(outcome.errors)")
    #expect(server.stop() == 0)
  }

  @Test("a tar that is cut, damaged anywhere, or none is told with its place, and what is of a damaged table does not come in")
  func damage() throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve export --data d --format sst --output t.tar; size=$(stat -c %s t.tar)
      for count in 0 1 511 512 513 20000 $((size - 1025)) $((size - 1024)) $((size - 513)) $((size - 1)); do
        head -c $count t.tar >cut.tar; rm -rf e; varve import --data e cut.tar 2>words; echo "$? $(grep -c 'cut.tar is \\(cut at\\|no tar\\)' words)"
      done | sort | uniq -c | tr -s ' '
      for place in $(seq 0 $((size / 97)) $((size - 1))) 124 150 257 600 $((size - 1)); do
        cp t.tar bad.tar; byte=$(od -An -tu1 -j $place -N 1 t.tar); printf "\\\\x$(printf %02x $((byte ^ 16)))" | dd of=bad.tar bs=1 seek=$place conv=notrunc 2>/dev/null
        rm -rf e; varve import --data e bad.tar 2>words; echo "$? $(grep -c 'bad.tar' words)"
      done | sort | uniq -c | tr -s ' '
      """)
    #expect(outcome.output == " 10 1 1\n 103 1 1\n", "\(outcome.output)")
    let others = try command.run(
      """
      cp mixed.lp lines.tar; varve import --data h lines.tar; varve query --from lines.tar 'SHOW DATABASES'
      cp mixed.lp lines.sst; varve import --data h lines.sst
      touch empty.tar; varve query --from empty.tar 'SHOW DATABASES'
      mkdir a; cp mixed.lp a; tar cf other.tar a; varve import --data h other.tar
      varve query --data h 'SHOW MEASUREMENTS'
      """)
    for words in ["lines.tar is no tar", "lines.sst", "empty.tar is no tar: it has no bytes", "other.tar holds no table"] {
      #expect(others.errors.contains(words), "\(words): \(others.errors)")
    }
    #expect(others.output.isEmpty)
  }

  @Test("tables of a store as another program packs them come in by the order of their batches, or are refused")
  func foreignTar() throws {
    let command = try command()
    let outcome = try command.run(
      """
      varve compact --data d >/dev/null 2>&1; printf 'mix,host=a v=7i,s="new" 1\\n' | varve import --data d; varve compact --flush-only --data d >/dev/null 2>&1
      varve export --data d >a; files=$(find d/tables -name '*.sst' | sort -t- -k2)
      tar cf good.tar $files; tar cf wrong.tar $(echo $files | tr ' ' '\\n' | tac)
      varve import --data e good.tar; varve export --data e | cmp - a && echo same
      varve import --data f wrong.tar; echo $?; varve import --data g --resume place good.tar && varve import --data g --resume place good.tar
      for file in $files; do varve import --data i $file; done; varve export --data i | cmp - a && echo same
      """)
    #expect(outcome.output == "same\n1\nsame\n", "\(outcome.output) \(outcome.errors)")
    #expect(outcome.errors.contains("later tables must come later") && outcome.errors.contains("\n0 points imported"), "\(outcome.errors)")
  }
}
