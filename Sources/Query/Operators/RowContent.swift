import LineProtocol
import Storage

/// What a kept column of rows is filled with.
enum RowContent {
  /// The scan's column of that place.
  case field(Int, FieldType)
  /// The series' tag.
  case tag([UInt8])
  /// Nothing.
  case none

  var type: FieldType {
    switch self {
    case .field(_, let type): type
    case .tag: .string
    case .none: .float
    }
  }

  /// The place of the scan's column.
  var slot: Int? { if case .field(let slot, _) = self { slot } else { nil } }
}
