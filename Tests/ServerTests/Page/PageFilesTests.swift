import Foundation
import TestSupport
import Testing

/// The page as it is sent: what stands in the sources, with headers that keep it to itself.
@Suite("Page: files", .serialized)
struct PageFilesTests {
  private static let folder = packageRoot + "/Sources/Page/Files"
  private static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder))?.sorted() ?? []

  private static func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
  }

  private static func text(of name: String) throws -> String { String(decoding: try bytes(of: name), as: UTF8.self) }

  private static func path(of name: String) -> String { name == "index.html" ? "/" : "/page/" + name }

  @Test("each file is sent as it stands in the sources, packed where the browser takes that, and only if it changed")
  func sent() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      #expect(Self.names.count > 10)
      for name in Self.names {
        let path = Self.path(of: name)
        let plain = try RawHTTP.ask(server.http, "GET", path)
        #expect(plain.status == 200, "\(path)")
        #expect(plain.body == (try Self.bytes(of: name)), "\(path)")
        let kind = ["html": "text/html", "css": "text/css", "js": "text/javascript"][String(name.split(separator: ".")[1])]
        #expect(plain.headers["content-type"] == "\(kind ?? ""); charset=utf-8")
        #expect(plain.headers["x-content-type-options"] == "nosniff")
        #expect(plain.headers["cache-control"] == "no-cache")
        let policy = plain.headers["content-security-policy"] ?? ""
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self';") && policy.contains("frame-ancestors 'none'"))

        let packed = try RawHTTP.ask(server.http, "GET", path, headers: ["Accept-Encoding: gzip, br"])
        #expect(packed.headers["content-encoding"] == (plain.body.count > 1_024 ? "gzip" : nil), "\(path)")
        let tag = try #require(plain.headers["etag"])
        #expect(packed.headers["etag"] == tag)
        let again = try RawHTTP.ask(server.http, "GET", path, headers: ["If-None-Match: \(tag)"])
        #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
        let other = try RawHTTP.ask(server.http, "GET", path, headers: ["If-None-Match: \"other\""])
        #expect(other.status == 200)
      }
      #expect(server.stop() == 0)
    }
  }

  @Test("other methods and other names are refused")
  func refused() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let head = try RawHTTP.ask(server.http, "HEAD", "/")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head.headers["content-length"] == "\(try Self.bytes(of: "index.html").count)")
      let post = try RawHTTP.ask(server.http, "POST", "/", body: Array("m f=1".utf8))
      #expect(post.status == 405 && post.headers["allow"] == "OPTIONS, GET, HEAD")
      for path in ["/page/", "/page/nosuch.js", "/page/../page/main.js", "/page/index.html", "/page/main.js/"] {
        #expect(try RawHTTP.ask(server.http, "GET", path).status == 404, "\(path)")
      }
      #expect(server.stop() == 0)
    }
  }

  @Test("nothing is fetched from outside, and what is loaded is there")
  func closed() throws {
    for name in Self.names {
      let text = try Self.text(of: name).replacing("http://www.w3.org/2000/svg", with: "")
      #expect(text.firstRange(of: /(https?:)?\/\/[a-z]+\.[a-z]/) == nil, "\(name) names an address")
      #expect(!text.contains("@import"), "\(name)")
      for match in text.matches(of: /(?:src|href)="(\/page\/[^"]*)"|from "\.\/([^"]*)"/) {
        let loaded = (match.output.1 ?? match.output.2).map { $0.replacing("/page/", with: "") } ?? ""
        #expect(Self.names.contains(String(loaded)), "\(name) loads \(loaded)")
      }
    }
  }

  @Test("text becomes text: no markup is made from strings, nothing runs out of them")
  func escaped() throws {
    let forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\(|new Function|javascript:/
    for name in Self.names where name.hasSuffix(".js") {
      #expect(try Self.text(of: name).firstMatch(of: forbidden) == nil, "\(name)")
    }
    let page = try Self.text(of: "index.html")
    #expect(page.firstMatch(of: /\son[a-z]+=|\sstyle=|<script>|<style/) == nil)
  }
}
