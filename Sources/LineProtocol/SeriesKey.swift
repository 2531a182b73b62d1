/// A series: measurement and tags, unescaped, tags sorted by the bytes of their keys, in one flat form.
///
/// Form: varint length and bytes of the measurement, varint number of tags, then for each tag varint length and bytes of
/// key and of value. Equal series have equal bytes. The order is that of tables: measurement by bytes, then the first
/// tag key in which two series differ, absent first, values by bytes.
public struct SeriesKey: Hashable, Sendable, Comparable {
  /// The flat form; always well formed.
  public let bytes: [UInt8]

  /// Makes a key of names; tags need not be sorted, keys must differ.
  public init(measurement: [UInt8], tags: [(key: [UInt8], value: [UInt8])]) {
    var out: [UInt8] = []
    // In full at once: keys of live series lie in memory by the million.
    let head = Self.textByteCount(measurement.count) + Self.varintByteCount(tags.count)
    out.reserveCapacity(
      tags.reduce(head) { $0 + Self.textByteCount($1.key.count) + Self.textByteCount($1.value.count) })
    Self.append(measurement, to: &out)
    Self.appendVarint(tags.count, to: &out)
    for tag in tags.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      Self.append(tag.key, to: &out)
      Self.append(tag.value, to: &out)
    }
    bytes = out
  }

  /// Takes bytes in the flat form; `nil` if they are not well formed (sorted, no key twice, no byte left over).
  public init?(validating bytes: [UInt8]) {
    guard Self.parse(bytes) != nil else { return nil }
    self.bytes = bytes
  }

  /// Takes bytes that were those of a key; not checked.
  package init(wellFormed bytes: [UInt8]) { self.bytes = bytes }

  /// Measurement and tags as slices of `bytes`.
  public var parts:
    (measurement: ArraySlice<UInt8>, tags: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)])
  {
    Self.parse(bytes) ?? ([], [])
  }

  public var measurement: ArraySlice<UInt8> { parts.measurement }

  /// The value of a tag, `nil` where it is absent.
  public func value(of key: [UInt8]) -> ArraySlice<UInt8>? {
    parts.tags.first { $0.key.elementsEqual(key) }?.value
  }

  public static func < (a: SeriesKey, b: SeriesKey) -> Bool {
    let (x, y) = (a.parts, b.parts)
    if !x.measurement.elementsEqual(y.measurement) {
      return x.measurement.lexicographicallyPrecedes(y.measurement)
    }
    var index = 0
    while index < x.tags.count, index < y.tags.count {
      let (p, q) = (x.tags[index], y.tags[index])
      if !p.key.elementsEqual(q.key) {
        // The lower key is present on one side and absent on the other: absent goes first.
        return q.key.lexicographicallyPrecedes(p.key)
      }
      if !p.value.elementsEqual(q.value) { return p.value.lexicographicallyPrecedes(q.value) }
      index += 1
    }
    return x.tags.count < y.tags.count
  }

  /// Bytes that a name of so many takes in a key.
  static func textByteCount(_ count: Int) -> Int { varintByteCount(count) + count }

  static func varintByteCount(_ value: Int) -> Int { max(1, (70 - value.leadingZeroBitCount) / 7) }

  /// Appends a name, its length before it.
  @inline(__always) static func append(_ text: some Collection<UInt8>, to out: inout [UInt8]) {
    appendVarint(text.count, to: &out)
    out.append(contentsOf: text)
  }

  static func appendVarint(_ value: Int, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }

  private static func parse(
    _ bytes: [UInt8]
  ) -> (measurement: ArraySlice<UInt8>, tags: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)])? {
    var offset = 0
    func number() -> Int? {
      var (value, shift) = (0, 0)
      while offset < bytes.count, shift < 35 {
        let byte = bytes[offset]
        offset += 1
        value |= Int(byte & 0x7f) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    func text() -> ArraySlice<UInt8>? {
      guard let length = number(), length <= bytes.count - offset else { return nil }
      defer { offset += length }
      return bytes[offset..<offset + length]
    }
    guard let measurement = text(), let count = number(), count <= bytes.count else { return nil }
    var tags: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []
    tags.reserveCapacity(count)
    for _ in 0..<count {
      guard let key = text(), let value = text() else { return nil }
      if let last = tags.last, !last.key.lexicographicallyPrecedes(key) { return nil }
      tags.append((key, value))
    }
    return offset == bytes.count ? (measurement, tags) : nil
  }
}
