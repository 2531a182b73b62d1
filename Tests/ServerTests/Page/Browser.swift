import Foundation
import Glibc
import TestSupport

/// Chromium without a window, driven over its debugging pipe: what the page does is asked of a real browser.
///
/// Protocol: https://chromedevtools.github.io/devtools-protocol/, messages of JSON, each ended by a zero byte.
final class Browser {
  struct Failure: Error, CustomStringConvertible { var description: String }

  /// Where Debian's package puts it; `nil` where it is not installed.
  static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  private let process: ChildProcess
  private let (requests, answers) = (Pipe(), Pipe())
  private var received: [UInt8] = []
  private var lastNumber = 0
  private var session: String?
  /// What scripts of the page threw, and what it was refused to load or run.
  private(set) var complaints: [String] = []

  /// - Parameter directory: for the profile; emptied by who made it.
  init(directory: String) throws {
    guard let path = Self.path else { throw Failure(description: "chromium is not installed") }
    // The pipe is at descriptors 3 and 4. The sandbox of the browser does not start as root, nor the GPU where there is none.
    let words = [
      "/bin/sh", "-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", path, "--headless=new", "--remote-debugging-pipe",
      "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
      "--disable-extensions", "--hide-scrollbars", "--user-data-dir=\(directory)/profile", "about:blank",
    ]
    // A browser that ended is told by the answer that does not come.
    signal(SIGPIPE, SIG_IGN)
    process = try ChildProcess(
      words, input: .descriptor(requests.fileHandleForReading.fileDescriptor),
      output: .descriptor(answers.fileHandleForWriting.fileDescriptor))
    try requests.fileHandleForReading.close()
    try answers.fileHandleForWriting.close()
    let target = try call("Target.createTarget", ["url": "about:blank"])["targetId"]
    session = try call("Target.attachToTarget", ["targetId": target ?? "", "flatten": true])["sessionId"] as? String
    for domain in ["Page", "Runtime", "Log"] { try call("\(domain).enable") }
  }

  deinit {
    // It is not waited for beyond a while: browsers have been seen that never come to their end.
    if (try? send("Browser.close", [:])) != nil { process.wait(upTo: 10) }
  }

  // MARK: The page

  /// Opens an address in an empty page of that size.
  func open(_ address: String, width: Int = 1_280, height: Int = 900, isDark: Bool = false) throws {
    try call(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
    try look(isDark: isDark)
    try call("Page.navigate", ["url": "about:blank"])
    try call("Page.navigate", ["url": address])
  }

  /// What the system prefers.
  func look(isDark: Bool) throws {
    try call(
      "Emulation.setEmulatedMedia",
      ["features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]])
  }

  /// The value of an expression of JavaScript, a promise's once it is kept; `nil` for null and undefined.
  @discardableResult func value(_ expression: String) throws -> Any? {
    let answer = try call(
      "Runtime.evaluate", ["expression": expression, "awaitPromise": true, "returnByValue": true])
    if let thrown = answer["exceptionDetails"] { throw Failure(description: "\(expression): \(thrown)") }
    let value = (answer["result"] as? [String: Any])?["value"]
    return value is NSNull ? nil : value
  }

  func text(_ expression: String) throws -> String { try value(expression) as? String ?? "" }

  func number(_ expression: String) throws -> Double { (try value(expression) as? NSNumber)?.doubleValue ?? .nan }

  /// Whether an expression becomes true within 30 s: it is looked at each time the page is drawn.
  func becomes(_ expression: String) throws -> Bool {
    try value(
      """
      new Promise((keep) => {
        const end = performance.now() + 30000;
        const look = () => {
          let isSo = false;
          try { isSo = Boolean(\(expression)); } catch { isSo = false; }
          if (isSo || performance.now() > end) keep(isSo); else setTimeout(look, 20);
        };
        look();
      })
      """) as? Bool ?? false
  }

  /// Presses a key, as the keyboard does.
  ///
  /// - Parameter modifiers: 1 Alt, 2 Ctrl, 8 Shift, added.
  func press(_ key: String, modifiers: Int = 0) throws {
    let codes = ["Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowRight": 39]
    let code = codes[key] ?? key.utf8.first.map(Int.init) ?? 0
    var event: [String: Any] = ["type": "keyDown", "key": key, "modifiers": modifiers, "windowsVirtualKeyCode": code]
    if key == "Enter" { event["text"] = "\r" }
    if key.count == 1 { event["text"] = key }
    try call("Input.dispatchKeyEvent", event)
    event["type"] = "keyUp"
    event["text"] = nil
    try call("Input.dispatchKeyEvent", event)
  }

  /// Types a text into what has the focus.
  func type(_ text: String) throws { try call("Input.insertText", ["text": text]) }

  // MARK: The pipe

  @discardableResult private func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
    let number = try send(method, parameters)
    while true {
      let message = try receive()
      if message["id"] as? Int == number {
        if let error = message["error"] { throw Failure(description: "\(method): \(error)") }
        return message["result"] as? [String: Any] ?? [:]
      }
      note(message)
    }
  }

  @discardableResult private func send(_ method: String, _ parameters: [String: Any]) throws -> Int {
    lastNumber += 1
    var message: [String: Any] = ["id": lastNumber, "method": method, "params": parameters]
    message["sessionId"] = session
    try requests.fileHandleForWriting.write(contentsOf: JSONSerialization.data(withJSONObject: message) + [0])
    return lastNumber
  }

  private func note(_ message: [String: Any]) {
    let parameters = message["params"] as? [String: Any] ?? [:]
    switch message["method"] as? String {
    case "Runtime.exceptionThrown": complaints.append("\(parameters)")
    case "Log.entryAdded":
      let entry = parameters["entry"] as? [String: Any] ?? [:]
      if entry["level"] as? String == "error" { complaints.append("\(entry["text"] ?? "") \(entry["url"] ?? "")") }
    default: break
    }
  }

  private func receive() throws -> [String: Any] {
    while true {
      if let end = received.firstIndex(of: 0) {
        defer { received.removeFirst(end + 1) }
        return try JSONSerialization.jsonObject(with: Data(received[..<end])) as? [String: Any] ?? [:]
      }
      let descriptor = answers.fileHandleForReading.fileDescriptor
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 60_000) > 0 else { throw Failure(description: "the browser does not answer") }
      var chunk = [UInt8](repeating: 0, count: 64 << 10)
      let count = read(descriptor, &chunk, chunk.count)
      guard count > 0 else { throw Failure(description: "the browser ended") }
      received += chunk[..<count]
    }
  }
}
