internal import CShims

/// One receiver's numbers for series as spelled and for field lists. Bounded; belongs to one thread.
///
/// A *spelling* is the bytes before a line's fields as they were sent, escapes and order of tags included; one series may
/// have several. A spelling gets its number when the first line that bears it has been parsed to its end, so that no
/// stream of bad lines fills the vocabulary. What a spelling means was checked then; a known one costs one comparison.
///
/// When `seriesCountMax`, `fieldListCountMax` or `byteCountMax` is passed, or its owner says so, all numbers are forgotten and `generation`
/// rises, at a moment when no batch holds numbers: `LineParser.parse` asks for it when it begins an empty batch.
public final class Vocabulary {
  /// Counts the times that all numbers were forgotten because a bound was reached; holders of numbers then forget theirs.
  public private(set) var generation: UInt64 = 0

  /// The bounds; a batch that is under way may pass them by what it holds.
  public struct Limits: Sendable {
    /// Spellings of series.
    public var seriesCountMax = 1 << 20
    /// Field lists.
    public var fieldListCountMax = 1 << 16
    /// Bytes of spellings and of names in field lists, together.
    public var byteCountMax = 256 << 20

    /// The bounds that stand above.
    public init() {}
  }

  /// The bounds in force.
  public let limits: Limits
  /// Has all numbers forgotten at the next moment when no batch holds any.
  public var isToBeForgotten = false

  var spellings: SpellingTable

  // Field lists: `lists` says where in `fields`; a field's raw name with its `=` lies in `names`.
  var lists = Buffer<FieldListEntry>(capacity: 64)
  var fields = Buffer<FieldEntry>(capacity: 256)
  var names = Buffer<UInt8>(capacity: 1 << 12)
  var listIndex: HashIndex
  private var fieldKeys: [[FieldKey]] = []

  /// Takes spellings apart.
  var plainKey = PlainKey()
  private var freshKeys = FreshKeys()
  private var keyScratch = Buffer<UInt8>(capacity: 256)

  /// An empty vocabulary. `hashKey` keeps strangers from choosing names that collide; give one only to repeat a run.
  public init(limits: Limits = Limits(), hashKey: UInt64 = .random(in: 0...(.max))) {
    self.limits = limits
    spellings = SpellingTable(hashKey: hashKey)
    listIndex = HashIndex(key: hashKey ^ 0x9e37_79b9_7f4a_7c15)
  }

  /// Spellings numbered so far; numbers are 0 ..< this.
  public var seriesCount: Int { spellings.entries.count }
  /// Field lists numbered so far.
  public var fieldListCount: Int { lists.count }
  /// Bytes of spellings and names held.
  public var byteCount: Int { spellings.bytes.count + names.count }

  /// Bytes of memory in use; what lies behind in the buffers was never touched.
  public var memoryByteCount: Int {
    spellings.memoryByteCount + names.count
      + lists.count * MemoryLayout<FieldListEntry>.stride + fields.count * MemoryLayout<FieldEntry>.stride
      + listIndex.memoryByteCount + freshKeys.memoryByteCount
  }

  /// A spelling's bytes as sent, without the space that ends it.
  public func spelling(_ number: UInt32) -> [UInt8] {
    var bytes: [UInt8] = []
    unsafe spellings.withSpelling(number) { bytes = unsafe Array($0.dropLast()) }
    return bytes
  }

  /// A spelling's series, unescaped, tags sorted. Made anew at each call, but for the newest numbers (a third of a microsecond, three with
  /// escapes): keep the answer.
  public func seriesKey(_ number: UInt32) -> SeriesKey {
    var bytes: [UInt8] = []
    unsafe withSeriesKey(number) { bytes = unsafe Array($0) }
    return SeriesKey(wellFormed: bytes)
  }

  /// Calls `body` with the flat form of a spelling's series (`SeriesKey.bytes`): of the newest numbers it lies there, others cost what
  /// `seriesKey` does. `body` leaves the vocabulary as it is.
  public func withSeriesKey(_ number: UInt32, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    if let fresh = unsafe freshKeys.key(number) { return unsafe body(fresh) }
    unsafe spellings.withSpelling(number) { whole in
      let name = unsafe UnsafeBufferPointer(rebasing: whole.dropLast())
      if unsafe name.contains(Escaping.backslash) {
        return unsafe LineKey.seriesKey(ofValidated: whole).bytes.withUnsafeBufferPointer { unsafe body($0) }
      }
      precondition(unsafe plainKey.scan(name), "a numbered spelling is valid")
      keyScratch.reset()
      unsafe plainKey.appendKey(of: name, to: &keyScratch)
      unsafe body(keyScratch.elements)
    }
  }

  /// A field list's fields, in the order sent, no name twice.
  public func fieldList(_ number: UInt32) -> [FieldKey] { fieldKeys[Int(number)] }

  /// Forgets all numbers if a bound is passed or the owner said so. Call it while no batch holds numbers.
  public func forgetIfFull() {
    freshKeys.reset()
    if seriesCount > limits.seriesCountMax || fieldListCount > limits.fieldListCountMax
      || byteCount > limits.byteCountMax || isToBeForgotten
    {
      forget()
    }
  }

  /// Forgets all numbers; `generation` rises.
  public func forget() {
    generation += 1
    isToBeForgotten = false
    spellings.forget()
    // Memory is given back too: it grew to the bound.
    lists = Buffer(capacity: 64)
    fields = Buffer(capacity: 256)
    names = Buffer(capacity: 1 << 12)
    listIndex.removeAll()
    fieldKeys = []
    freshKeys = FreshKeys()
  }
}

/// A spelling, 16 bytes, so that a cache line holds four.
struct SpellingEntry: BitwiseCopyable {
  /// Where its bytes begin in the arena; with `deltaFlag` the offset of its base there, four bytes, and a delta.
  var offset: UInt32
  /// Its bytes and the space after them.
  var count: UInt32
  /// The spelling that followed last time, or `none`.
  var next: UInt32
  /// The field list that it had last time, or `none`.
  var fieldList: UInt32

  /// No number.
  static let none = UInt32.max
  /// Above every offset: the arena's bound is far below it.
  static let deltaFlag: UInt32 = 1 << 31
  static let baseByteCount = 4

  @inline(__always) var isDelta: Bool { offset >= Self.deltaFlag }
  /// Where in the arena.
  @inline(__always) var place: Int { Int(offset & ~Self.deltaFlag) }

  /// Where the base of a delta begins.
  @inline(__always) static func base(ofDelta place: UnsafePointer<UInt8>) -> UInt32 {
    unsafe UInt32(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt32.self))
  }

  /// Whether `[position, end)` begins with the spelling; `spellings` is the arena.
  @inline(__always) func isPrefix(
    of position: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ spellings: UnsafePointer<UInt8>
  ) -> Bool {
    if !isDelta { return unsafe CShims_hasPrefix(position, end, spellings + Int(offset), Int(count)) != 0 }
    let place = unsafe spellings + place
    return unsafe end - position >= Int(count)
      && TextDelta.isEqual(
        UnsafeBufferPointer(start: position, count: Int(count)), base: spellings + Int(Self.base(ofDelta: place)),
        delta: place + Self.baseByteCount)
  }
}

/// A field list: its fields are consecutive.
struct FieldListEntry: BitwiseCopyable {
  var first: UInt32
  var count: UInt32
}

/// One field of a list.
struct FieldEntry: BitwiseCopyable {
  /// Where its raw name begins in the arena of names; 16 bytes may be read there.
  var offset: UInt32
  /// Bytes of the raw name and its `=`.
  var count: UInt32
  var type: FieldType
}

extension Vocabulary {
  /// The number of a spelling that was validated, new if need be. `bytes` end with a space.
  func number(ofSpelling bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let hash = unsafe spellings.hash(bytes)
    return unsafe spellings.find(bytes, hash: hash) ?? spellings.add(bytes, hash: hash)
  }

  /// The same of a spelling that `plainKey` has just taken apart.
  ///
  /// - Parameter missed: its hash, where a search has just told that it has no number.
  func number(ofPlain bytes: UnsafeBufferPointer<UInt8>, missed: UInt32?) -> UInt32 {
    let hash = unsafe missed ?? spellings.hash(bytes)
    if missed == nil, let number = unsafe spellings.find(bytes, hash: hash) { return number }
    let number = unsafe spellings.add(bytes, hash: hash)
    let name = unsafe UnsafeBufferPointer(rebasing: bytes.dropLast())
    freshKeys.add(number) { unsafe plainKey.appendKey(of: name, to: &$0) }
    return number
  }

  /// The number of a field list, new if need be. `key` is, for each field, the raw name, `=` and the type's byte;
  /// `nameCounts` the raw names' byte counts.
  func number(ofFieldList key: [UInt8], nameCounts: [Int]) -> UInt32 {
    let hash = unsafe key.withUnsafeBufferPointer { unsafe listIndex.hash($0) }
    if let number = listIndex.find(hash, where: { isFieldList($0, key, nameCounts) }) { return number }
    let number = UInt32(lists.count)
    lists.append(FieldListEntry(first: UInt32(fields.count), count: UInt32(nameCounts.count)))
    var (keys, position) = ([FieldKey](), 0)
    keys.reserveCapacity(nameCounts.count)
    for count in nameCounts {
      let type = FieldType(rawValue: key[position + count + 1]) ?? .float
      fields.append(FieldEntry(offset: UInt32(names.count), count: UInt32(count + 1), type: type))
      for byte in key[position...position + count] { names.append(byte) }
      keys.append(FieldKey(name: Escaping.unescapedName(key[position..<position + count]), type: type))
      position += count + 2
    }
    // A comparison reads 16 bytes at a name, however short it is.
    names.reserve(16)
    fieldKeys.append(keys)
    listIndex.insert(number, hash: hash)
    return number
  }

  private func isFieldList(_ number: UInt32, _ key: [UInt8], _ nameCounts: [Int]) -> Bool {
    let list = lists[Int(number)]
    if Int(list.count) != nameCounts.count { return false }
    var position = 0
    for index in 0..<Int(list.count) {
      let field = fields[Int(list.first) + index]
      let count = Int(field.count)
      if count != nameCounts[index] + 1 || field.type.rawValue != key[position + count] { return false }
      for byte in 0..<count where names[Int(field.offset) + byte] != key[position + byte] { return false }
      position += count + 1
    }
    return true
  }
}
