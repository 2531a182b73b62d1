import CShims
import Glibc
import Testing

/// What the allocator keeps of memory that was freed.
@Suite("Allocator")
struct AllocatorTests {
  private static let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil

  @Test(
    "pages between pieces in use go back to the system when they are asked for",
    .enabled(if: !isSanitized, "skipped: the sanitizer has an allocator of its own"))
  func trimming() async {
    // In a process of its own, whose memory is counted as a whole.
    await #expect(processExitsWith: .success) {
      CShims_bound_allocator()
      let (pieceByteCount, pieceCount) = (128, 512 << 10)
      var pieces: [UnsafeMutableRawPointer] = []
      for _ in 0..<pieceCount {
        let piece = malloc(pieceByteCount)!
        memset(piece, 1, pieceByteCount)
        pieces.append(piece)
      }
      let held = CShims_resident_bytes()
      // One in a thousand stays: the end of the heap never comes free.
      for (number, piece) in pieces.enumerated() where number % 1_000 != 999 { free(piece) }
      free(malloc(pieceByteCount))
      let kept = CShims_resident_bytes()
      precondition(held - kept < 8 << 20, "without being asked it gave back \(held - kept) bytes")
      CShims_trim_allocator()
      let given = kept - CShims_resident_bytes()
      precondition(given > Int64(pieceByteCount * pieceCount / 2), "it gave back \(given) bytes")
    }
  }
}
