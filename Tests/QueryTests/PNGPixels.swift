import CZlib

/// The pixels of a PNG as this program's pictures are: 8 bits a channel, three or four channels, rows from top to
/// bottom, no interlacing. Source: RFC 2083.
struct PNGPixels {
  struct Color: Hashable { var red, green, blue: UInt8 }
  private(set) var width = 0
  private(set) var height = 0
  private(set) var colors: [Color] = []

  /// `nil` where the bytes are none, or a kind of PNG that is not read here.
  init?(_ file: [UInt8]) {
    guard file.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) else { return nil }
    var (packed, channelCount, isEnded): ([UInt8], Int, Bool) = ([], 0, false)
    var offset = 8
    while offset + 12 <= file.count, !isEnded {
      let count = Self.integer(file[offset...])
      guard count <= file.count - offset - 12 else { return nil }
      let body = file[offset + 8..<offset + 8 + count]
      switch String(decoding: file[offset + 4..<offset + 8], as: UTF8.self) {
      case "IHDR":
        (width, height) = (Self.integer(body), Self.integer(body.dropFirst(4)))
        let kind = Array(body.dropFirst(8))
        guard kind[0] == 8, kind[1] == 2 || kind[1] == 6, kind[4] == 0 else { return nil }
        channelCount = kind[1] == 2 ? 3 : 4
      case "IDAT": packed += body
      case "IEND": isEnded = true
      default: break
      }
      offset += 12 + count
    }
    guard isEnded, offset == file.count, channelCount > 0 else { return nil }
    let rowByteCount = width * channelCount
    var rows = [UInt8](repeating: 0, count: (rowByteCount + 1) * height)
    var rowsByteCount = uLong(rows.count)
    guard uncompress(&rows, &rowsByteCount, packed, uLong(packed.count)) == Z_OK, rowsByteCount == rows.count
    else { return nil }
    unfilter(rows, rowByteCount, channelCount)
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
  }

  /// Section 6: each byte is a difference to what its row's filter foresees from the left, above, and above left.
  private mutating func unfilter(_ rows: [UInt8], _ rowByteCount: Int, _ channelCount: Int) {
    var above = [UInt8](repeating: 0, count: rowByteCount)
    colors.reserveCapacity(width * height)
    for row in 0..<height {
      let start = row * (rowByteCount + 1)
      var bytes = Array(rows[start + 1...start + rowByteCount])
      for index in bytes.indices {
        let before = index - channelCount
        let (left, corner) = before < 0 ? (0, 0) : (bytes[before], above[before])
        bytes[index] &+= Self.foreseen(rows[start], left, above[index], corner)
      }
      for pixel in stride(from: 0, to: rowByteCount, by: channelCount) {
        colors.append(Color(red: bytes[pixel], green: bytes[pixel + 1], blue: bytes[pixel + 2]))
      }
      above = bytes
    }
  }

  private static func foreseen(_ filter: UInt8, _ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
    switch filter {
    case 1: return left
    case 2: return above
    case 3: return UInt8((Int(left) + Int(above)) / 2)
    case 4:
      let estimate = Int(left) + Int(above) - Int(corner)
      let distances = [left, above, corner].map { abs(estimate - Int($0)) }
      if distances[0] <= distances[1], distances[0] <= distances[2] { return left }
      return distances[1] <= distances[2] ? above : corner
    default: return 0
    }
  }
}
