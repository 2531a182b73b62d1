import CShims
import LineProtocol

/// What stands before the key's bytes in a `LiveSeries`.
struct LiveSeriesHead {
  var byteCount: UInt32
  /// Read and written by relaxed atomics only.
  var rank: UInt32
}

/// A series of one keyspace that an unflushed part or an inserter knows: one object a series, its key behind it in one allocation, so
/// that comparing series in the write path is comparing addresses, and their keys lie in memory once.
@safe final class LiveSeries: ManagedBuffer<LiveSeriesHead, UInt8> {
  static func make(_ key: SeriesKey) -> LiveSeries {
    let made = create(minimumCapacity: key.bytes.count) { _ in
      LiveSeriesHead(byteCount: UInt32(key.bytes.count), rank: 0)
    }
    // `create` makes an object of the class that it is called on.
    let series = unsafe unsafeDowncast(made, to: LiveSeries.self)
    unsafe series.withUnsafeMutablePointerToElements { target in
      unsafe key.bytes.withUnsafeBufferPointer { source in
        if let first = source.baseAddress { unsafe target.initialize(from: first, count: source.count) }
      }
    }
    return series
  }

  /// The flat form of its key (`SeriesKey.bytes`); lies where it is as long as the object lives.
  var bytes: UnsafeBufferPointer<UInt8> {
    unsafe withUnsafeMutablePointers { head, elements in
      unsafe UnsafeBufferPointer(start: elements, count: Int(head.pointee.byteCount))
    }
  }

  /// Its key; allocates.
  var key: SeriesKey { SeriesKey(wellFormed: unsafe Array(bytes)) }

  /// The place in canonical order when a part's series were last sorted: a hint that makes the next sort
  /// nearly free.
  var rank: UInt32 {
    get {
      unsafe withUnsafeMutablePointerToHeader { head in
        unsafe CShims_loadRelaxed(head.rank)
      }
    }
    set {
      unsafe withUnsafeMutablePointerToHeader { head in
        unsafe CShims_storeRelaxed(head.rank, newValue)
      }
    }
  }
}

/// A live series on its way between threads, which a `ManagedBuffer` itself may not go.
struct SharedSeries: @unchecked Sendable {
  // Unchecked: count and bytes never change after `make`; the rank is an atomic.
  let series: LiveSeries
}

extension UnsafeMutablePointer<LiveSeriesHead> {
  /// Where the rank lies.
  fileprivate var rank: UnsafeMutablePointer<UInt32> {
    unsafe (UnsafeMutableRawPointer(self) + 4).assumingMemoryBound(to: UInt32.self)
  }
}
