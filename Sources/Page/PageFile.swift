import CZlib

/// One file of the page, as it stands under `Sources/Page/Files`.
package struct PageFile: Sendable {
  package let contentType: String
  package let bytes: [UInt8]
  /// The `ETag`: weak, because a packed answer has the same.
  package let tag: String

  private init(_ contentType: String, _ bytes: [UInt8]) {
    self.contentType = contentType + "; charset=utf-8"
    self.bytes = bytes
    let checksum = unsafe bytes.withUnsafeBufferPointer { unsafe crc32(0, $0.baseAddress, UInt32($0.count)) }
    tag = "W/\"\(String(checksum, radix: 16))-\(bytes.count)\""
  }

  private static func script(_ bytes: [UInt8]) -> PageFile { PageFile("text/javascript", bytes) }

  /// The file at a path of the HTTP interface.
  package static func at(_ path: String) -> PageFile? { files[path] }

  private static let files: [String: PageFile] = [
    "/": PageFile("text/html", PackageResources.index_html),
    "/page/page.css": PageFile("text/css", PackageResources.page_css),
    "/page/answer.js": script(PackageResources.answer_js),
    "/page/ask.js": script(PackageResources.ask_js),
    "/page/chart.js": script(PackageResources.chart_js),
    "/page/dom.js": script(PackageResources.dom_js),
    "/page/format.js": script(PackageResources.format_js),
    "/page/lines.js": script(PackageResources.lines_js),
    "/page/link.js": script(PackageResources.link_js),
    "/page/live.js": script(PackageResources.live_js),
    "/page/main.js": script(PackageResources.main_js),
    "/page/metrics.js": script(PackageResources.metrics_js),
    "/page/pickers.js": script(PackageResources.pickers_js),
    "/page/rejects.js": script(PackageResources.rejects_js),
    "/page/shell.js": script(PackageResources.shell_js),
    "/page/statement.js": script(PackageResources.statement_js),
    "/page/tabs.js": script(PackageResources.tabs_js),
    "/page/ticks.js": script(PackageResources.ticks_js),
    "/page/times.js": script(PackageResources.times_js),
    "/page/trace.js": script(PackageResources.trace_js),
    "/page/upkeep.js": script(PackageResources.upkeep_js),
  ]
}
