/// What a decoder looks up: for each of the 1,024 parts that shares are of, the range that has it.
struct RangeSlots {
  let table: RangeTable
  /// By part: number of the range × 2²⁰ + (its share − 1) × 2¹⁰ + how far into its share the part lies.
  let slots: [UInt32]

  init(_ table: RangeTable) {
    self.table = table
    // Shares add up to as many: the table has seen to that.
    slots = unsafe [UInt32](unsafeUninitializedCapacity: RangeTable.shareSum) { slots, initializedCount in
      var slot = 0
      for index in 0..<table.count {
        let share = UInt32(table.shares[index])
        let head = UInt32(index) << 20 | (share - 1) << 10
        for place in 0..<share { unsafe slots[slot &+ Int(place)] = head | place }
        slot += Int(share)
      }
      initializedCount = slot
    }
  }
}
