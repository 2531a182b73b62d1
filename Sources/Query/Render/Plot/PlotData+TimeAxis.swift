extension PlotData {
  private static let second: Int64 = 1_000_000_000
  private static let day: Int64 = 86_400 * second
  private static let steps: [Int64] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800].map { $0 * second }
    + [1, 2, 3, 6, 12].map { $0 * 3600 * second }
    + [1, 2, 7, 14].map { $0 * day }
  /// Months between ticks of an axis too long for weeks.
  private static let monthSteps = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000]

  /// Nanoseconds from the first time to the last, `Int64.max` if they are more.
  private var span: Int64 {
    let span = times.upperBound.subtractingReportingOverflow(times.lowerBound)
    return span.overflow ? .max : span.partialValue
  }

  /// Where ticks of the time axis stand: round in the chart's zone, at most `count`; weeks begin on Mondays, longer steps with a month.
  ///
  /// Where clocks change within the axis ticks behind the change are an hour off the round ones; their labels say so.
  package func timeTicks(count: Int) -> [Int64] {
    guard let step = Self.steps.first(where: { span / $0 < Int64(max(count, 1)) }) else {
      return monthTicks(count: count)
    }
    // 1970-01-05 was a Monday.
    let phase = step % (7 * Self.day) == 0 ? 4 * Self.day : 0
    var ticks: [Int64] = []
    let offset = zone.offset(at: times.lowerBound).nanoseconds
    var multiple = times.lowerBound.addingReportingOverflow(offset).partialValue / step - 1
    while ticks.count < count {
      let product = multiple.multipliedReportingOverflow(by: step)
      let tick = product.partialValue.addingReportingOverflow(phase - offset)
      let isOutside = product.overflow || tick.overflow
      if isOutside ? multiple > 0 : tick.partialValue > times.upperBound { break }
      if !isOutside, tick.partialValue >= times.lowerBound { ticks.append(tick.partialValue) }
      multiple += 1
    }
    return ticks
  }

  private func monthTicks(count: Int) -> [Int64] {
    let (first, last) = (month(of: times.lowerBound), month(of: times.upperBound))
    let step = Self.monthSteps.first { (last - first) / $0 < max(count, 1) } ?? last - first
    return stride(from: first / step * step, through: last, by: step)
      .compactMap { CivilTime.nanoseconds(year: $0 / 12, month: $0 % 12 + 1) }
      .map { $0.subtractingReportingOverflow(zone.offset(at: $0).nanoseconds).partialValue }
      .filter(times.contains)
  }

  /// Months since the year 0; times of Int64 lie after it.
  private func month(of time: Int64) -> Int {
    let local = time.addingReportingOverflow(zone.offset(at: time).nanoseconds)
    let civil = CivilTime(nanoseconds: local.overflow ? time : local.partialValue)
    return civil.year * 12 + civil.month - 1
  }

  /// A tick of the time axis as text: a date where the axis spans days, a time of day else.
  package func timeLabel(_ time: Int64) -> String {
    let text = rfc3339(time)
    if span >= 7 * Self.day { return String(text.prefix(10)) }
    let clock = text.dropFirst(11)
    if span >= Self.day { return "\(text.dropFirst(5).prefix(5)) \(clock.prefix(5))" }
    return String(clock.prefix(span < 600 * Self.second ? 8 : 5))
  }

  /// What the labels of the time axis leave out: the zone, and the dates where they are times of day.
  package var timeAxisNote: String {
    if span >= 7 * Self.day { return zoneName }
    let (first, last) = (rfc3339(times.lowerBound).prefix(10), rfc3339(times.upperBound).prefix(10))
    return first == last ? "\(first) \(zoneName)" : "\(first) to \(last) \(zoneName)"
  }

  private func rfc3339(_ time: Int64) -> String {
    var out: [UInt8] = []
    out.appendRFC3339(time, offset: zone.offset(at: time).nanoseconds)
    return String(decoding: out, as: UTF8.self)
  }
}
