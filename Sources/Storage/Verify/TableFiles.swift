/// The tables that lie in a store's folders, whatever names them.
struct TableFiles {
  struct Found: Equatable {
    var name: String
    var keyspace: KeyspaceID
    var number: UInt64
  }

  /// Sorted by name. A folder that cannot be listed has none; names that are not ours are passed over.
  static func all(in fileSystem: any FileSystem) -> [Found] {
    do throws(StorageError) {
      guard try fileSystem.exists("tables") else { return [] }
      var found: [Found] = []
      for folder in try fileSystem.list("tables").sorted() {
        guard let number = UInt32(folder) else { continue }
        for name in try fileSystem.list("tables/" + folder).sorted() {
          guard let table = Self.number(of: name) else { continue }
          found.append(Found(name: "tables/\(folder)/\(name)", keyspace: KeyspaceID(number), number: table))
        }
      }
      return found
    } catch {
      return []
    }
  }

  /// Of `20261120T000000Z-0000000042.sst`; `nil` for what is no table.
  static func number(of name: String) -> UInt64? {
    guard name.hasSuffix(".sst"), let dash = name.lastIndex(of: "-") else { return nil }
    return UInt64(name[name.index(after: dash)...].dropLast(4))
  }
}
