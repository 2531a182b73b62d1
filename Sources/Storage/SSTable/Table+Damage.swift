/// Damage met in reading: where it lies, and what cannot be told without it.
extension Table {
  package var damage: StorageError? { damages.table }

  package func damage(of measurement: [UInt8]) -> RunDamage { damages.damage(of: measurement) }

  /// Takes note of an error that reading met: from then on what lies there is known as damaged. Where it is rows, the rest of
  /// the measurement's rows is looked at too, so that one scratch of many blocks is not met one block at a time.
  ///
  /// - Returns: `false` where that was known.
  package func contain(_ error: StorageError) -> Bool {
    let place = place(of: error.offset)
    let isNew = damages.note(place, error)
    guard isNew, case .series(let name, _) = place else { return isNew }
    do throws(StorageError) {
      guard let handle = try handle(of: name) else { return isNew }
      var blocks: [TableBlock] = []
      try appendBlocks(of: handle, to: &blocks)
      for block in blocks where block.isOfRows {
        do throws(StorageError) {
          _ = try source.block(block.handle, isKept: false)
        } catch {
          _ = damages.note(self.place(of: error.offset), error)
        }
      }
    } catch {
      _ = damages.note(self.place(of: error.offset), error)
    }
    return isNew
  }

  /// What is lost with the block at an offset: what can still be read of directory and index says it.
  func place(of offset: UInt64?) -> DamagedPlace {
    guard let offset else { return .table }
    do throws(StorageError) {
      let run = try directory().run
      for index in 0..<run.count {
        // The measurements lie one behind the other, each with its rows first and its top last.
        for entry in try entries(run.handle(index)) where offset < entry.top.end {
          return place(of: offset, in: entry.name, top: entry.top)
        }
      }
    } catch {
      return .table
    }
    return .table
  }

  private func place(of offset: UInt64, in measurement: [UInt8], top handle: BlockHandle) -> DamagedPlace {
    do throws(StorageError) {
      let top = try top(at: handle)
      if offset >= top.extent.lowerBound { return .measurement(measurement) }
      let reader = TableReader(table: self, measurement: measurement, fields: [], isKept: false)
      var found: RowGroupEntry?
      for stripe in top.stripes {
        for group in try reader.loadStripe(row: stripe.firstRow).groups where group.offset <= offset {
          if found.map({ $0.offset < group.offset }) ?? true { found = group }
        }
      }
      guard let found else { return .measurement(measurement) }
      let first = UInt32(found.firstSeries)
      return .series(measurement, first..<first + UInt32(found.seriesCount))
    } catch {
      return .measurement(measurement)
    }
  }
}

extension TableBlock {
  /// Whether it holds rows: timestamps, or values of a field.
  var isOfRows: Bool {
    switch kind {
    case .timestamps, .column: true
    default: false
    }
  }
}
