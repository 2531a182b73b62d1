import CRaster

/// Draws a chart as PNG: the picture of `SVGPlot`, two pixels to a unit, so that it is sharp on paper and fine screens.
package struct PNGPlot {
  /// Why there is no picture.
  package enum Failure: Error, Equatable {
    /// librsvg is not installed; what the loader said.
    case missingLibrary(String)
    case failed(String)
  }

  private let svg: SVGPlot
  private static let pixelsAUnit = 2

  package init(_ data: PlotData?, title: String) { svg = SVGPlot(data, title: title) }

  package func append(to out: inout [UInt8]) throws(Failure) {
    var document: [UInt8] = []
    svg.append(to: &document)
    var message = [CChar](repeating: 0, count: 256)
    let (width, height) = (Int32(svg.width * Self.pixelsAUnit), Int32(svg.height * Self.pixelsAUnit))
    // All outlive the call; the shim reads so many bytes, ends the message within its capacity, and hands back `out` as
    // the context.
    let outcome = unsafe document.withUnsafeBytes { bytes in
      unsafe message.withUnsafeMutableBufferPointer { error in
        unsafe withUnsafeMutablePointer(to: &out) { out in
          unsafe CRaster_drawPNG(
            bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, width, height,
            { context, bytes, count in
              let out = unsafe context?.assumingMemoryBound(to: [UInt8].self)
              unsafe out?.pointee.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
              return true
            }, out, error.baseAddress, error.count)
        }
      }
    }
    if outcome == CRaster_drawn { return }
    let end = message.firstIndex(of: 0) ?? message.count
    let reason = String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    throw outcome == CRaster_missing ? .missingLibrary(reason) : .failed(reason)
  }
}
