import Glibc

/// A time zone's offsets over time, from the system's TZif files (RFC 8536).
///
/// After the last transition of the file its last offset stays; files of Debian's tzdata go to 2037.
struct TimeZoneRules: Sendable, Equatable {
  /// Seconds since 1970 at which an offset begins, ascending.
  private var transitions: [Int64] = []
  /// Seconds east of UTC from each transition on.
  private var offsets: [Int64] = []
  /// Before the first transition.
  private var firstOffset: Int64 = 0

  static let utc = TimeZoneRules()
  private static let byteCountMax = 1 << 20

  /// The rules of a zone such as `Europe/Berlin`; `nil` if the system has none of that name.
  static func load(_ name: String) -> TimeZoneRules? {
    if name.isEmpty || name == "UTC" { return utc }
    let isSafe = name.utf8.allSatisfy { Lexer.isWordByte($0) || "+-/".utf8.contains($0) }
    guard isSafe, !name.hasPrefix("/"), name.utf8.count < 128,
      let bytes = read("/usr/share/zoneinfo/" + name)
    else { return nil }
    return TimeZoneRules(bytes: bytes)
  }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: byteCountMax)
    // The buffer is as long as said.
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
    return count > 0 && count < byteCountMax ? Array(bytes[..<count]) : nil
  }

  private init() {}

  /// Reads a TZif file of version 2 or later; `nil` if it is not one.
  init?(bytes: [UInt8]) {
    func number(_ offset: Int, _ width: Int) -> Int64? {
      guard offset >= 0, offset + width <= bytes.count else { return nil }
      let bits = bytes[offset..<offset + width].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return width == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
    }
    /// The six counts of the header at `offset`: isutc, isstd, leap, time, type, char.
    func counts(_ offset: Int) -> [Int]? {
      guard offset + 44 <= bytes.count, bytes[offset..<offset + 4].elementsEqual("TZif".utf8) else {
        return nil
      }
      let found = (0..<6).compactMap { number(offset + 20 + 4 * $0, 4) }.map(Int.init)
      return found.allSatisfy { (0...100_000).contains($0) } ? found : nil
    }
    guard let first = counts(0), bytes[4] >= UInt8(ascii: "2") else { return nil }
    let second = 44 + first[3] * 5 + first[4] * 6 + first[5] + first[2] * 8 + first[1] + first[0]
    guard let sizes = counts(second) else { return nil }
    let times = second + 44
    let kinds = times + sizes[3] * 8
    let types = kinds + sizes[3]
    for index in 0..<sizes[3] {
      guard let time = number(times + index * 8, 8), kinds + index < bytes.count,
        let offset = number(types + Int(bytes[kinds + index]) * 6, 4)
      else { return nil }
      transitions.append(time)
      offsets.append(offset)
    }
    guard let offset = number(types, 4) else { return nil }
    firstOffset = offset
  }

  /// Whether one offset holds at all times.
  var isFixed: Bool { transitions.isEmpty }

  /// Nanoseconds east of UTC at an instant, and the stretch of time around it in which that holds.
  func offset(at time: Int64) -> (nanoseconds: Int64, valid: Range<Int64>) {
    let seconds = TimeLiteral.floorDivide(time, 1_000_000_000)
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    let billion: Int64 = 1_000_000_000
    func bound(_ seconds: Int64, _ limit: Int64) -> Int64 {
      let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: billion)
      return isTooLarge ? limit : product
    }
    let start = low == 0 ? Int64.min : bound(transitions[low - 1], .min)
    let end = low == transitions.count ? Int64.max : bound(transitions[low], .max)
    return ((low == 0 ? firstOffset : offsets[low - 1]) * billion, start..<end)
  }

  /// The instant of a local time, nanoseconds: the first where clocks show it twice, that of the change where they pass over it; cut to
  /// the range of times.
  func instant(ofLocal local: Int128) -> Int64 {
    func instant(_ offset: Int64) -> Int64 { Int64(clamping: local - Int128(offset)) }
    let (offset, valid) = offset(at: instant(self.offset(at: Int64(clamping: local)).nanoseconds))
    if valid.lowerBound > .min {
      let earlier = instant(self.offset(at: valid.lowerBound - 1).nanoseconds)
      if earlier < valid.lowerBound { return earlier }
    }
    let time = instant(offset)
    if time >= valid.upperBound, valid.upperBound < .max {
      return max(instant(self.offset(at: valid.upperBound).nanoseconds), valid.upperBound)
    }
    return max(time, valid.lowerBound)
  }
}
