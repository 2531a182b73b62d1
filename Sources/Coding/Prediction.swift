/// What a packed block subtracts from a value before it is packed. The numbers are those written to disk.
enum Prediction: UInt8, CaseIterable {
  /// Nothing: a value is `base + u`.
  case none = 0
  /// The value before: a value is that + `base + u`.
  case delta = 1
  /// The value before, and the difference of the two before that.
  case deltaOfDelta = 2
  /// A straight line: the value of row `i` of the group is `start + i × step + u`.
  case line = 3
}

/// Where a group begins: the value before its first row, and the difference before that.
struct Predecessor {
  var value: UInt64
  var step: UInt64

  /// Before the first row of a block: such that its first difference is its second, and the first of those
  /// between them is 0.
  init(of values: UnsafePointer<UInt64>, count: Int) {
    step = unsafe count > 1 ? values[1] &- values[0] : 0
    value = unsafe values[0] &- step
  }

  /// After `values`: the last, and the difference before it.
  init(after values: UnsafePointer<UInt64>, count: Int, of before: Predecessor) {
    value = unsafe values[count - 1]
    step = unsafe value &- (count > 1 ? values[count - 2] : before.value)
  }
}

extension Prediction {
  /// Writes what prediction leaves of `values` to `words` (1…1,024 of each), and gives the start and step
  /// that the group's header keeps.
  ///
  /// `slope` is the step of a line, 0 where the group's own first and last value are to say.
  func apply(
    _ values: UnsafePointer<UInt64>, count: Int, after before: Predecessor, slope: UInt64,
    into words: UnsafeMutablePointer<UInt64>
  ) -> (start: UInt64, step: UInt64) {
    switch self {
    case .none:
      unsafe words.update(from: values, count: count)
      return (0, 0)
    case .delta:
      unsafe words[0] = values[0] &- before.value
      for row in 1..<max(1, count) { unsafe words[row] = values[row] &- values[row &- 1] }
      return (before.value, 0)
    case .deltaOfDelta:
      let first = unsafe values[0] &- before.value
      unsafe words[0] = first &- before.step
      if count > 1 { unsafe words[1] = values[1] &- values[0] &- first }
      for row in 2..<max(2, count) {
        unsafe words[row] = (values[row] &- values[row &- 1]) &- (values[row &- 1] &- values[row &- 2])
      }
      return (before.value, before.step)
    case .line:
      let start = unsafe values[0]
      let span = Int64(bitPattern: unsafe values[count - 1] &- start)
      let step = slope != 0 ? slope : UInt64(bitPattern: span / Int64(max(1, count - 1)))
      var expected = start
      for row in 0..<count {
        unsafe words[row] = values[row] &- expected
        expected &+= step
      }
      return (start, step)
    }
  }
}
