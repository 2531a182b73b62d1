/// The date of the day that a time lies in, kept for those that follow.
struct DayText {
  /// Nanoseconds since 1970.
  private var start: Int64 = 0
  /// Up to the time of day, in UTC: `2016-01-01T`.
  private(set) var date: [UInt8] = []

  private static let length: Int64 = 86_400_000_000_000

  /// Goes to the day of a time; its second of the day, `nil` where it is no whole one.
  @inline(__always)
  mutating func second(of time: Int64) -> Int? {
    if date.isEmpty || UInt64(bitPattern: time &- start) >= UInt64(Self.length) { begin(time) }
    let (second, fraction) = UInt64(bitPattern: time &- start).quotientAndRemainder(dividingBy: 1_000_000_000)
    return fraction == 0 ? Int(second) : nil
  }

  /// The same where the time lies in the present day and is a whole second.
  @inline(__always)
  func secondOfSameDay(_ time: Int64) -> Int? {
    let past = UInt64(bitPattern: time &- start)
    guard !date.isEmpty, past < UInt64(Self.length) else { return nil }
    let (second, fraction) = past.quotientAndRemainder(dividingBy: 1_000_000_000)
    return fraction == 0 ? Int(second) : nil
  }

  private mutating func begin(_ time: Int64) {
    let rest = time % Self.length
    // The first day begins before 64 bits do: the difference is right all the same.
    start = time &- (rest < 0 ? rest + Self.length : rest)
    var text: [UInt8] = []
    text.appendRFC3339(time)
    date = Array(text.prefix { $0 != UInt8(ascii: "T") }) + [UInt8(ascii: "T")]
  }
}
