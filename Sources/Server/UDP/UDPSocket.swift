import CShims
import Glibc
import LineProtocol
import Storage
import Synchronization

/// A bound UDP socket of one receiver thread: every datagram is a unit of one or more lines.
@safe final class UDPSocket: EventSource {
  /// Datagrams taken in by one call and committed together, and the longest one.
  static let slotCount = 64
  static let slotByteCount = 65_536
  /// Calls before other sockets of the thread have their turn.
  private static let callCountMax = 16
  /// What is asked of the kernel for each socket.
  static let receiveBufferByteCount: Int32 = 32 << 20

  let socket: Int32
  private let settings: IngestSettings
  private let slots: OpaquePointer

  init?(socket: Int32, settings: IngestSettings) {
    guard let slots = unsafe CShims_datagrams_create(UInt32(Self.slotCount), Self.slotByteCount) else { return nil }
    unsafe self.slots = slots
    self.socket = socket
    self.settings = settings
  }

  deinit { unsafe CShims_datagrams_free(slots) }

  func handle(_ events: UInt32, on reactor: Reactor) -> Bool {
    for _ in 0..<Self.callCountMax where !receive(on: reactor) { break }
    return true
  }

  /// Takes in what one call gives; `false`: nothing was left.
  private func receive(on reactor: Reactor) -> Bool {
    let count = unsafe CShims_datagrams_receive(slots, socket)
    guard count > 0 else { return false }
    let now = wallNanoseconds()
    let pipeline = reactor.pipeline
    pipeline.begin()
    var byteCount = 0
    var truncatedCount = 0
    for index in 0..<UInt32(count) {
      var length = 0
      var isTruncated: Int32 = 0
      let bytes = unsafe CShims_datagrams_at(slots, index, &length, &isTruncated)
      var datagram = unsafe UnsafeRawBufferPointer(start: bytes, count: length)
      byteCount += length
      if isTruncated != 0 {
        // The last line was cut by the kernel: half a number looks like a number.
        truncatedCount += 1
        let end = unsafe datagram.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        unsafe datagram = UnsafeRawBufferPointer(rebasing: datagram[..<end])
        settings.counters.addReject(.unterminated)
      }
      unsafe pipeline.parse(datagram, settings, now: now, firstLine: 1)
    }
    settings.counters.datagrams.wrappingAdd(UInt64(count), ordering: .relaxed)
    settings.counters.truncatedDatagrams.wrappingAdd(UInt64(truncatedCount), ordering: .relaxed)
    settings.counters.bytes.wrappingAdd(UInt64(byteCount), ordering: .relaxed)
    do throws(StorageError) {
      _ = try pipeline.commit(settings, context: reactor.context, now: now)
    } catch {
      // Nobody can be told: the lines are lost, and counted.
      settings.counters.overloadDrops.wrappingAdd(UInt64(pipeline.batch.count), ordering: .relaxed)
      settings.counters.addReject(.overload, count: pipeline.batch.count)
    }
    return count == Self.slotCount
  }

  func tick(_ now: Int64, on reactor: Reactor) -> Bool { true }

  func ticketsDecided(on reactor: Reactor) -> Bool { true }

  func drain(on reactor: Reactor) {
    // What the kernel holds; the senders are not told to stop, so the number of calls is bounded.
    for _ in 0..<1_024 where !receive(on: reactor) { break }
  }

  func willClose(on reactor: Reactor) {}
}
