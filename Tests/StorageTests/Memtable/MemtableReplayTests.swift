import Storage
import Testing

@Suite("Memtable: parts of a replay and of new batches")
struct MemtableReplayTests {
  private let keyspace = KeyspaceID(1)
  private let windows = [0..<100 as Range<Int64>, 100..<200]

  private func made(replayedThrough last: UInt64) -> Memtable {
    let memtable = Memtable(clock: { 1 })
    memtable.beginReplay(through: last)
    return memtable
  }

  /// A batch that touches some windows, inserted at once; its parts.
  @discardableResult private func replay(_ memtable: Memtable, _ sequence: UInt64, _ places: [Int]) -> [Part] {
    var parts: [Part] = []
    memtable.holdReplayed(keyspace, windows: places.map { windows[$0] }, sequence: sequence, parts: &parts)
    for part in parts { part.release() }
    return parts
  }

  @discardableResult private func write(_ memtable: Memtable, _ sequence: UInt64, _ places: [Int]) -> [Part] {
    var parts: [Part] = []
    memtable.hold(keyspace, windows: places.map { windows[$0] }, sequence: sequence, parts: &parts)
    for part in parts { part.release() }
    return parts
  }

  private func firstSequences(_ parts: [Part]) -> [UInt64] { parts.map(\.firstSequence) }

  @Test("what is replayed stands before what is new in its window, whichever came first")
  func order() {
    let memtable = made(replayedThrough: 10)
    write(memtable, 11, [0])
    replay(memtable, 3, [0, 1])
    write(memtable, 12, [0, 1])
    replay(memtable, 4, [0])
    #expect(firstSequences(memtable.parts()) == [3, 11, 3, 12])
    // A sealed part of either side is followed by another of its side.
    for part in memtable.parts() { memtable.seal(part) }
    #expect(memtable.parts().map(\.sealedThrough) == [4, 12, 4, 12])
    replay(memtable, 7, [0])
    write(memtable, 13, [0])
    #expect(firstSequences(memtable.parts(of: keyspace)) == [3, 7, 11, 13, 3, 12])
  }

  @Test("until the replay ends only what is replayed is chosen for tables")
  func flushed() {
    let memtable = made(replayedThrough: 10)
    let new = write(memtable, 11, [0, 1])
    let old = replay(memtable, 3, [0])
    memtable.seal(new[0])
    memtable.seal(old[0])
    #expect(firstSequences(memtable.partsToFlush()) == [3])
    replay(memtable, 5, [1])
    #expect(firstSequences(memtable.partsToSeal(byteCountTarget: -1)) == [5])
    #expect(firstSequences(memtable.partsToSeal(olderThan: 0)) == [5])
    #expect(firstSequences(memtable.partsToSeal(pinning: 100)) == [5])
    memtable.endReplay()
    #expect(firstSequences(memtable.partsToFlush()) == [3, 11, 5, 11])
    #expect(firstSequences(memtable.partsToSeal(pinning: 100)) == [11])
  }

  @Test("the log is kept from the first number that is not yet replayed")
  func pinned() {
    let memtable = made(replayedThrough: 10)
    #expect(memtable.oldestSequence == 1)
    memtable.skipReplayed(2)
    #expect(memtable.oldestSequence == 3)
    write(memtable, 11, [0])
    let old = replay(memtable, 4, [0])[0]
    #expect(memtable.oldestSequence == 4)
    memtable.seal(old)
    memtable.remove(old)
    #expect(memtable.oldestSequence == 5)
    memtable.endReplay()
    #expect(memtable.oldestSequence == 11)
  }

  @Test("at the end a replayed part with a new one behind it is sealed through the last number of the log; others go on")
  func end() {
    let memtable = made(replayedThrough: 10)
    let old = replay(memtable, 3, [0, 1])
    let new = write(memtable, 11, [0])
    replay(memtable, 6, [1])
    memtable.endReplay()
    #expect(!memtable.isReplaying)
    #expect(old.map(\.sealedThrough) == [10, nil] && new[0].sealedThrough == nil)
    // The part of the other window takes new batches, and is sealed through them.
    #expect(write(memtable, 12, [1])[0] === old[1])
    memtable.seal(old[1])
    #expect(old[1].sealedThrough == 12)
  }
}
