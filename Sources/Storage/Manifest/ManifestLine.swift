import Coding
import FoundationEssentials

/// The first line of a manifest: what stood when it was begun.
struct ManifestHead: Codable, Equatable {
  var format: Int
  /// The number in the file's name.
  var number: UInt64
  var state: ManifestState
}

/// Any later line: edits that take effect together.
struct ManifestEdits: Codable, Equatable {
  var edits: [Edit]
}

/// One line of a manifest or of `CURRENT`: checksum in hexadecimal, space, text, newline. See Manifest.md.
enum ManifestLine {
  /// What is written; all from `formatVersionMin` on is read.
  static let formatVersion = 2
  static let formatVersionMin = 1
  /// Checksum and space.
  static let prefixByteCount = 9

  /// The line of a text that holds no newline, JSON or a name; the checksum is over the text.
  static func encode(_ text: [UInt8]) -> [UInt8] {
    let digits = String(checksum(text[...]), radix: 16)
    var line = Array(repeatElement(UInt8(ascii: "0"), count: 8 - digits.utf8.count))
    line += digits.utf8
    line.append(UInt8(ascii: " "))
    line += text
    line.append(UInt8(ascii: "\n"))
    return line
  }

  /// The text of a line given without its newline; `nil` where the checksum does not hold.
  static func decode(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard line.count > prefixByteCount, line[line.startIndex + 8] == UInt8(ascii: " ") else { return nil }
    var stated: UInt32 = 0
    for digit in line.prefix(8) {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): stated = stated << 4 | UInt32(digit - UInt8(ascii: "0"))
      // One spelling a number: capitals are damage.
      case UInt8(ascii: "a")...UInt8(ascii: "f"): stated = stated << 4 | UInt32(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    let text = line.dropFirst(prefixByteCount)
    return checksum(text) == stated ? text : nil
  }

  static func encode(json value: some Encodable) throws(StorageError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return encode([UInt8](try encoder.encode(value)))
    } catch {
      throw StorageError(.invalid, "cannot write as JSON: \(error)")
    }
  }

  static func decode<Value: Decodable>(
    json text: ArraySlice<UInt8>, as type: Value.Type, file: String, offset: Int
  ) throws(StorageError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(text))
    } catch {
      throw StorageError(
        .corrupt, file: file, offset: UInt64(offset),
        "the line's checksum holds but it is not one that this version knows: \(error)")
    }
  }

  private static func checksum(_ text: ArraySlice<UInt8>) -> UInt32 { crc32c(text.span) }
}
