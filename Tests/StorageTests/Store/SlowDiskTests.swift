import LineProtocol
import Storage
import TestSupport
import Testing

/// A disk that takes its time: writers are slowed, held, refused; memory stays in bounds; all recovers.
@Suite("Slow disk")
struct SlowDiskTests {
  /// A disk whose writes of some files wait until the test lets bytes through.
  private final class Gate: Sendable {
    private struct State {
      var allowance: Int?
      var suffix: String
      var waiting = 0
    }
    private let state: Monitor<State>
    private let hasChanged = Condition()

    /// Holds writes to files of an ending from now on.
    init(_ suffix: String) { state = Monitor(State(allowance: 0, suffix: suffix)) }

    func pass(_ call: FailingFileSystem.Call, _ name: String, _ byteCount: Int) {
      state.withLock { if call == .write, name.hasSuffix($0.suffix) { $0.waiting += 1 } else { return } }
      hasChanged.notifyAll()
      state.withLock(
        on: hasChanged,
        when: { state in
          guard call == .write, name.hasSuffix(state.suffix), let allowance = state.allowance else { return true }
          return allowance > 0
        }
      ) { state in
        guard call == .write, name.hasSuffix(state.suffix) else { return }
        state.waiting -= 1
        state.allowance = state.allowance.map { $0 - byteCount }
      }
    }

    /// Lets so many bytes through; `nil`: all.
    func allow(_ byteCount: Int?) {
      state.withLock { $0.allowance = byteCount }
      hasChanged.notifyAll()
    }

    func waitUntilReached() { state.withLock(on: hasChanged, when: { $0.waiting > 0 }) { _ in } }
  }

  private struct Bench {
    var store: Store
    var gate: Gate
    var budget: MemoryBudget
  }

  private static func open(holding suffix: String, memory: Int = 8 << 20) throws -> Bench {
    let disk = FailingFileSystem(wrapping: MemoryFileSystem())
    var options = StoreOptions()
    options.memoryByteCount = memory
    options.segmentByteCount = 1 << 20
    options.sync = .none
    let store = try Store.open(fileSystem: disk, options: options, wallClock: { 1_000_000 })
    try store.createDatabase("metrics")
    let gate = Gate(suffix)
    disk.pace { gate.pass($0, $1, $2) }
    return Bench(store: store, gate: gate, budget: options.memory)
  }

  /// Writes batches until one is refused; the text of those taken.
  private final class Writer {
    private let store: Store
    private let receiver: Receiver
    private let parser: LineParser
    private let batch = LineBatch()
    private(set) var taken: [String] = []
    private var number = 0

    init(_ store: Store, stallLimit: Duration) {
      self.store = store
      receiver = store.makeReceiver()
      receiver.stallLimit = stallLimit
      parser = LineParser(vocabulary: receiver.vocabulary)
    }

    func write() throws(StorageError) {
      batch.reset()
      let lines = (0..<100).map { row in
        "m,s=\((number + row) % 40) a=\(number + row)i,b=\(row)i,c=1i,d=2i,e=3i,f=4i \(number + row)"
      }
      number += 100
      let bytes = Array(lines.joined(separator: "\n").utf8)
      bytes.withUnsafeBytes { _ = parser.parse($0, now: 0, into: batch) }
      _ = try receiver.commit(batch, to: store.target(database: "metrics", policy: nil))
      taken += lines
    }
  }

  private func pointCount(of store: Store) throws -> Int {
    try StoreDriver(store).dump().count { $0.contains(" a=") }
  }

  @Test("while tables cannot be written, ingest is slowed, then held, then refused; memory is bounded; all recovers")
  func tables() throws {
    let bench = try Self.open(holding: ".sst", memory: 64 << 20)
    let (store, budget) = (bench.store, bench.budget)
    let writer = Writer(store, stallLimit: .milliseconds(20))
    let most = budget.share(of: .memtable)
    // Half way from where flushing begins, five eighths, to the bound.
    let flush = most / 8 * 5
    let slow = flush + (most - flush) / 2
    func stalled() -> UInt64 { store.statistics().databases.reduce(0) { $0 + $1.stallNanoseconds } }
    func used() -> Int { store.statistics().memory.first { $0.part == .memtable }?.usedBytes ?? 0 }
    // What one batch may add: a block of the largest size for each of its parts.
    let batchMax = 2 * ArenaPool.blockByteCountMax
    var slowed: [UInt64] = []
    var refusal: StorageError?
    while refusal == nil {
      let (before, level) = (stalled(), used())
      do throws(StorageError) { try writer.write() } catch { refusal = error }
      let span = stalled() - before
      if level <= slow {
        #expect(span == 0, "held at \(level) of \(slow) bytes")
      } else if refusal == nil {
        slowed.append(span)
        // In proportion: nothing where it begins, 10 ms at the bound. A busy machine makes it longer, nothing shorter.
        #expect(span >= UInt64((level - slow) * 9_000_000 / (most - slow)), "at \(level) of \(slow) to \(most) bytes")
      }
      #expect(used() <= most + batchMax)
    }
    #expect(refusal?.code == .overloaded)
    #expect(refusal?.description.contains("try again later") == true)
    #expect(slowed.count >= 2, "\(slowed)")
    // Held for the limit before it was refused.
    #expect(stalled() - slowed.reduce(0, +) >= 20_000_000)
    #expect(try pointCount(of: store) == writer.taken.count)

    // A trickle lets some through, the disk becomes fast again and everything is there.
    bench.gate.waitUntilReached()
    bench.gate.allow(1)
    bench.gate.allow(nil)
    try store.flush()
    #expect(used() <= most)
    try writer.write()
    #expect(try pointCount(of: store) == writer.taken.count)
    try store.close()
  }

  @Test("while the log cannot be written, a batch waits for its limit and is refused; what was taken is there afterwards")
  func log() throws {
    let bench = try Self.open(holding: ".wal")
    let (store, budget) = (bench.store, bench.budget)
    let writer = Writer(store, stallLimit: .milliseconds(5))
    var refusal: StorageError?
    var count = 0
    while refusal == nil, count < 10_000 {
      count += 1
      do throws(StorageError) { try writer.write() } catch { refusal = error }
    }
    #expect(refusal?.code == .overloaded)
    #expect(refusal?.description.contains("the log") == true, "\(String(describing: refusal))")
    let used = store.statistics().memory.first { $0.part == .log }?.usedBytes ?? .max
    #expect(used <= budget.share(of: .log), "\(used) of \(budget.share(of: .log))")
    bench.gate.allow(nil)
    try writer.write()
    #expect(try pointCount(of: store) == writer.taken.count)
    try store.close()
  }
}
