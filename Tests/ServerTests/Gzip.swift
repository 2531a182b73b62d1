import TestSupport

/// What `gzip` makes of bytes: packed, or unpacked with `-dc`.
func gzip(_ bytes: [UInt8], _ arguments: [String] = ["-nc"]) throws -> [UInt8] {
  try ChildProcess.run(["/bin/gzip"] + arguments, input: bytes).output
}
