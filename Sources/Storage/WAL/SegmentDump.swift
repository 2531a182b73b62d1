/// What is in a log segment, as text: a line for each structure with its offset, payloads in hexadecimal. For `varve inspect`
/// and for reviewers of the format. Damage is shown, with what stands behind it.
///
/// - Parameters:
///   - name: relative to the file system's root.
///   - payloadByteCountMax: bytes of each payload that are shown.
///   - describe: lines for a payload in place of its bytes, where the caller can read it.
package func dumpSegment(
  fileSystem: any FileSystem, name: String, payloadByteCountMax: Int = 64,
  describe: ((LogRecordType, UnsafeRawBufferPointer) -> [String]?)? = nil
) throws(StorageError) -> String {
  let file = try fileSystem.open(name)
  let base = name.split(separator: "/").last.map(String.init) ?? name
  let reader = try SegmentReader(file: file, number: LogFormat.number(of: base))
  var lines: [String] = []
  switch try reader.header() {
  case .success(let header):
    lines.append("\(name): log segment \(header.number), format \(LogFormat.version), \(reader.byteCount) bytes")
    lines.append(dumpLine(0, "header", header.description))
    try unsafe dumpRecords(reader, payloadByteCountMax, describe, &lines)
  case .failure(.format(let format)):
    lines.append("\(name): log segment, format \(format), \(reader.byteCount) bytes; this version reads \(LogFormat.version)")
  case .failure(.malformed(let reason)):
    let end = try reader.lookOn(from: 0).end
    lines.append("\(name): \(reader.byteCount) bytes, \(end == 0 ? "all zeros: a segment not yet in use" : reason)")
  case nil:
    lines.append("\(name): \(reader.byteCount) bytes, too short for a log segment")
  }
  return lines.joined(separator: "\n") + "\n"
}

/// A line of a dump: offset, name, what it says.
func dumpLine(_ offset: UInt64, _ title: String, _ text: String) -> String {
  let digits = String(offset)
  let place = String(repeating: " ", count: max(0, 10 - digits.utf8.count)) + digits
  return "\(place)  \(title)\(String(repeating: " ", count: max(0, 12 - title.utf8.count))) \(text)"
}

private func dumpRecords(
  _ reader: SegmentReader, _ payloadByteCountMax: Int,
  _ describe: ((LogRecordType, UnsafeRawBufferPointer) -> [String]?)?, _ lines: inout [String]
) throws(StorageError) {
  var offset = UInt64(SegmentHeader.byteCount)
  while offset < reader.byteCount {
    switch try reader.item(at: offset) {
    case .record(let record, let payload):
      lines.append(dumpLine(offset, "\(record.type)", record.description))
      let text = unsafe describe?(record.type, payload) ?? hexLines(payload, byteCountMax: payloadByteCountMax)
      lines += text.map { String(repeating: " ", count: 25) + $0 }
      offset += UInt64(record.recordByteCount)
    case .bad(let reason):
      let findings = try reader.lookOn(from: offset)
      if findings.end == offset {
        lines.append(dumpLine(offset, "zeros", "\(reader.byteCount - offset) bytes, not yet in use"))
        offset = reader.byteCount
      } else {
        let next = findings.next ?? findings.end
        lines.append(dumpLine(offset, "bad", "\(next - offset) bytes: \(reason)"))
        offset = max(next, offset + 1)
      }
    }
  }
  lines.append(dumpLine(offset, "end of file", ""))
  lines[lines.count - 1].removeLast(2)
}

private func hexLines(_ bytes: UnsafeRawBufferPointer, byteCountMax: Int) -> [String] {
  var lines: [String] = []
  let shown = min(bytes.count, max(0, byteCountMax))
  for start in stride(from: 0, to: shown, by: 16) {
    let digits = (start..<min(start + 16, shown)).map { index -> String in
      // `index` is below `shown`, which is at most the count.
      let byte = unsafe bytes[index]
      return (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    lines.append(digits.joined(separator: " "))
  }
  if shown < bytes.count { lines.append("… \(bytes.count - shown) bytes more") }
  return lines
}

extension SegmentHeader {
  fileprivate var description: String {
    let before =
      previous == 0
      ? "no segment before it"
      : "after segment \(previous), "
        + (previousSynced == Self.ended ? "which has its end record" : "whose sync failed, synced through \(previousSynced)")
    return "\(allocated) bytes allocated, \(before), salt \(String(salt, radix: 16))"
  }
}

extension RecordHeader {
  fileprivate var description: String {
    switch type {
    case .definitions, .rows: "batch \(sequence), payload of \(payloadByteCount) bytes, synced through \(synced)"
    case .mark, .end: "after batch \(sequence), synced through \(synced)"
    }
  }
}
