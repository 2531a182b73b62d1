/// Flags that several subcommands share.
package enum CommonFlags {
  package static let server = Flag(
    "server", .string, "URL", default: "http://127.0.0.1:8086", help: "a running server")
  package static let data = Flag("data", .string, "DIR", help: "a data directory, without a server")
  package static let database = Flag("database", .string, "NAME", default: "metrics", help: "the database")
  package static let policy = Flag(
    "policy", .string, "NAME", help: "the retention policy; without it the database's default one")
  package static let format = Flag(
    "format", .choice(["table", "csv", "json", "jsonl", "line", "markdown", "vertical"]), "FORMAT",
    help: "of the rows; without it table on a terminal, csv in a pipe")
  package static let precision = Flag(
    "precision", .choice(["ns", "us", "ms", "s"]), "UNIT",
    help: "times as integers of a unit; without it RFC 3339")
  package static let time = Flag(
    "time", .string, "RANGE",
    help: "only what lies in it: 14:00..14:10, -1h, yesterday, 2026-11-20, 2026-11-20 14:00..now")
  package static let timeZone = Flag(
    "tz", .string, "ZONE", help: "in which days and times are meant and shown: Europe/Berlin, or local; without it UTC")
  package static let from = Flag(
    "from", .string, "FILE", isRepeatable: true,
    help:
      "ask files, without a server: line protocol, FILE.csv, tables (FILE.sst, or FILE.tar of export); .gz too")
  package static let reportFormat = Flag(
    "format", .choice(["text", "json"]), "FORMAT", default: "text", help: "of the report")
}
