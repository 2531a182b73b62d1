import CShims
import LineProtocol

/// A measurement and the tags of its series as keys have them, by the codes of their values: what many keys are made of.
///
/// Texts of all tag keys lie in one piece of memory, since a key takes a few of each; those of a block of values are there once one of
/// them was asked for.
struct TagTexts {
  /// The codes of the block that was looked at last, and where the text of the first is in `texts`.
  private struct Window {
    var codes = 0..<0
    var first = 0
  }

  /// Varint length and bytes of the measurement.
  private var head: [UInt8] = []
  /// Varint length and bytes of each tag key's name.
  private var names: [[UInt8]] = []
  private var bytes: [UInt8] = []
  /// A tag as keys have it, as a range of `bytes`: varint length and bytes of its name, and of its value. Both together, so that a key takes
  /// one copy a tag.
  private var texts: [(start: UInt32, end: UInt32)] = []
  /// One a tag key.
  private var windows: [Window] = []
  /// For each tag key and block where its first text is in `texts`, −1 where they are not there.
  private var firsts: [[Int]] = []

  init(_ top: MeasurementTop) {
    putText(top.name, to: &head)
    for key in top.tagKeys {
      var name: [UInt8] = []
      putText(key.name, to: &name)
      names.append(name)
      firsts.append([Int](repeating: -1, count: key.values.count))
    }
    windows = Array(repeating: Window(), count: top.tagKeys.count)
  }

  /// Whether the text of a value is there, in the block that was looked at last.
  @inline(__always) func has(_ code: UInt64, of key: Int) -> Bool { windows[key].codes.contains(Int(truncatingIfNeeded: code)) }

  /// Looks at the block that holds a value, a code above 0.
  mutating func seek(_ code: UInt64, of key: Int, in values: inout TagValues) throws(StorageError) {
    let tag = values.key
    guard code <= UInt64(tag.valueCount) else {
      throw values.source.corrupt(tag.codes.handle(0), "value \(code) of a tag with \(tag.valueCount)")
    }
    let block = values.blockIndex(of: Int(code) - 1)
    if firsts[key][block] < 0 { firsts[key][block] = try add(values.decode(block), of: key, values.source, tag.values.handle(block)) }
    windows[key] = Window(codes: tag.firstPlaces[block] + 1..<tag.firstPlaces[block + 1] + 1, first: firsts[key][block])
  }

  private mutating func add(
    _ block: TagValues.Block, of key: Int, _ source: BlockSource, _ handle: BlockHandle
  ) throws(StorageError) -> Int {
    let (first, count, name) = (texts.count, block.starts.count - 1, names[key])
    guard bytes.count + block.bytes.count + count * name.count <= Int(UInt32.max) else {
      throw source.corrupt(handle, "tag values of more than 4 GiB")
    }
    for index in 0..<count {
      let start = bytes.count
      bytes.append(contentsOf: name)
      bytes.append(contentsOf: block.bytes[block.starts[index]..<block.starts[index + 1]])
      texts.append((UInt32(start), UInt32(bytes.count)))
    }
    return first
  }

  /// Appends what stands before the tags of a key.
  @inline(__always) func beginKey(tagCount: Int, in out: inout Buffer<UInt8>) {
    Self.append(head, head.indices, to: &out)
    out.appendVarint(UInt64(tagCount))
  }

  /// Appends name and value of a tag whose text is there (`has`).
  @inline(__always) func append(_ code: UInt64, of key: Int, to out: inout Buffer<UInt8>) {
    let window = windows[key]
    let text = texts[window.first + Int(truncatingIfNeeded: code) - window.codes.lowerBound]
    Self.append(bytes, Int(text.start)..<Int(text.end), to: &out)
  }

  @inline(__always) private static func append(_ source: [UInt8], _ range: Range<Int>, to out: inout Buffer<UInt8>) {
    precondition(range.upperBound <= source.count, "text to \(range.upperBound) of \(source.count) bytes")
    out.reserve(range.count)
    // Inside the source, as is looked at above, and there is room. A text takes a byte at least.
    unsafe source.withUnsafeBufferPointer {
      unsafe CShims_copyShort(out.base + out.count, $0.baseAddress.unsafelyUnwrapped + range.lowerBound, range.count)
    }
    out.setCount(out.count + range.count)
  }
}
