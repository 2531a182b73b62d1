import Foundation

/// What `gzip` makes of bytes: packed, or unpacked with `-dc`.
func gzip(_ bytes: [UInt8], _ arguments: [String] = ["-nc"]) throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/gzip")
  process.arguments = arguments
  let (input, output) = (Pipe(), Pipe())
  (process.standardInput, process.standardOutput) = (input, output)
  try process.run()
  Thread.detachNewThread {
    input.fileHandleForWriting.write(Data(bytes))
    try? input.fileHandleForWriting.close()
  }
  let found = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return Array(found)
}
