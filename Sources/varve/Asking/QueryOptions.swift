import Glibc
import Query

/// What holds for all statements that a command runs.
struct QueryOptions {
  var database: String
  /// `nil`: the database's default one.
  var policy: String?
  var isPartial: Bool
  var isStrict: Bool
  var parameters: [BindParameter]
  /// What each `SELECT` keeps to, as it was written; `nil`: all times.
  var time: String?
  /// The name of a zone; empty: UTC.
  var timeZone: String
  /// Long answers are handed on in pieces, and never held whole.
  var isInPieces = false

  init(_ arguments: Arguments) throws {
    database = arguments.text("database")
    policy = arguments.string("policy")
    isPartial = arguments.isOn("partial")
    isStrict = arguments.isOn("strict")
    parameters = try BindParameter.all(arguments)
    time = arguments.string("time")
    timeZone = try Self.timeZone(arguments.string("tz") ?? "")
    // Misuse is told before a server is asked.
    if time != nil { _ = try timeRange(now: wallNanoseconds()) }
  }

  /// The range that `time` stands for.
  func timeRange(now: Int64) throws -> TimeRange {
    guard let time else { return TimeRange() }
    do {
      return try TimeRange(time, now: now, zone: timeZone)
    } catch {
      throw UsageError("--time: \(error)")
    }
  }

  /// The name of a zone as the system has it; `local` is the machine's.
  static func timeZone(_ name: String) throws -> String {
    let zone = name == "local" ? machineTimeZone : name
    do {
      _ = try TimeRange("now", now: 0, zone: zone)
    } catch {
      throw UsageError("--tz: \(error)")
    }
    return zone
  }

  /// By `TZ`, else by what `/etc/localtime` is a link to, as localtime(5) has it; UTC where neither names a zone.
  private static var machineTimeZone: String {
    if let text = unsafe getenv("TZ") {
      let name = unsafe String(cString: text)
      return name.hasPrefix(":") ? String(name.dropFirst()) : name
    }
    guard let path = unsafe realpath("/etc/localtime", nil) else { return "" }
    defer { unsafe free(path) }
    let folder = "/zoneinfo/"
    let text = unsafe String(cString: path)
    return text.firstRange(of: folder).map { String(text[$0.upperBound...]) } ?? ""
  }
}
