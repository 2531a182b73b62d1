internal import Glibc

/// A growable array of plain values for hot loops: one owner, no reference counting, no exclusivity checks inside.
///
/// `reset` keeps the memory. Reading goes through `span`, or `base` for loops that check their bounds first.
@safe public struct Buffer<Element: BitwiseCopyable>: ~Copyable {
  /// The first element; valid for `count` elements until the next call that changes the buffer.
  public private(set) var base: UnsafeMutablePointer<Element>
  /// The elements held.
  public private(set) var count = 0
  /// The elements that fit before memory is moved.
  public private(set) var capacity: Int

  public init(capacity: Int = 64) {
    self.capacity = max(capacity, 1)
    unsafe base = Self.resized(nil, to: self.capacity)
  }

  deinit { unsafe free(base) }

  /// Memory for so many elements that begins with what lay at `old`: pages of a large buffer are moved by the system, not copied.
  private static func resized(_ old: UnsafeMutablePointer<Element>?, to capacity: Int) -> UnsafeMutablePointer<Element> {
    precondition(MemoryLayout<Element>.alignment <= 16, "malloc aligns to 16 bytes")
    guard let memory = unsafe realloc(old, capacity * MemoryLayout<Element>.stride) else {
      preconditionFailure("no memory for \(capacity) elements")
    }
    return unsafe memory.bindMemory(to: Element.self, capacity: capacity)
  }

  /// Forgets the elements, keeps the memory.
  @inlinable @inline(__always) public mutating func reset() { setCount(0) }

  /// Appends one element; amortised constant.
  @inlinable @inline(__always) public mutating func append(_ element: Element) {
    let index = count
    if index == capacity { grow(to: index + 1) }
    unsafe base[index] = element
    setCount(index + 1)
  }

  /// Appends `source`, one copy.
  @inlinable public mutating func append(contentsOf source: UnsafeBufferPointer<Element>) {
    guard let first = source.baseAddress else { return }
    reserve(source.count)
    unsafe (base + count).update(from: first, count: source.count)
    setCount(count + source.count)
  }

  /// Makes room for `extra` more elements, so that `base[count ..< count + extra]` may be written.
  @inlinable @inline(__always) public mutating func reserve(_ extra: Int) {
    if count + extra > capacity { grow(to: count + extra) }
  }

  /// States that `count` elements are written; at most `capacity`.
  @inlinable @inline(__always) public mutating func setCount(_ newCount: Int) {
    precondition(newCount >= 0 && newCount <= capacity, "count outside capacity")
    assignCount(newCount)
  }

  @usableFromInline @inline(__always) mutating func assignCount(_ newCount: Int) { count = newCount }

  /// Moves the elements to memory for at least `needed`, doubling.
  @usableFromInline mutating func grow(to needed: Int) {
    let larger = max(needed, capacity * 2)
    unsafe base = Self.resized(base, to: larger)
    capacity = larger
  }

  /// Access to one element, checked.
  @inlinable public subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(index >= 0 && index < count, "index outside buffer")
      return unsafe base[index]
    }
    @inline(__always) set {
      precondition(index >= 0 && index < count, "index outside buffer")
      unsafe base[index] = newValue
    }
  }

  /// The elements, for reading; dies with the next change.
  public var elements: UnsafeBufferPointer<Element> {
    @inlinable get { unsafe UnsafeBufferPointer(start: base, count: count) }
  }
}

extension Buffer where Element == UInt8 {
  /// Appends a number as unsigned LEB128: 7 bits a byte, low bits first.
  @inlinable public mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}
