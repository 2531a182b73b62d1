/// A span of time for people: "45s", "12m", "3h", "2d", rounded down.
func spanText(_ nanoseconds: Int64) -> String {
  let seconds = nanoseconds / 1_000_000_000
  switch seconds {
  case ..<120: return "\(seconds)s"
  case ..<7_200: return "\(seconds / 60)m"
  case ..<172_800: return "\(seconds / 3_600)h"
  default: return "\(seconds / 86_400)d"
  }
}

/// Bytes for people: "512 B", "3 KiB", "120 MiB", rounded down.
func sizeText(_ byteCount: UInt64) -> String {
  switch byteCount {
  case ..<1_024: "\(byteCount) B"
  case ..<(1 << 20): "\(byteCount >> 10) KiB"
  case ..<(1 << 30): "\(byteCount >> 20) MiB"
  default: "\(byteCount >> 30) GiB"
  }
}
