/// One flag of a subcommand: a row of its table.
///
/// `--wal-limit` is also the environment variable `VARVE_WAL_LIMIT` and the key `wal-limit` of the configuration file.
package struct Flag: Sendable {
  /// What may be written after the flag.
  package enum Kind: Sendable, Equatable {
    /// Nothing: the flag is given or not.
    case toggle
    case string
    /// A whole number, not negative.
    case integer
    /// `128MiB`, `1GiB`, or bytes.
    case size
    /// `90s`, `12h`, `30d`, `1w`; `0` or `INF` for ever.
    case duration
    /// One of some words.
    case choice([String])
    /// A value may follow if it ends in one of these.
    case optional(endings: [String])
  }
  /// Without the dashes.
  package var name: String
  package var kind: Kind
  /// What help calls the value: `DIR`.
  package var valueName: String
  /// Whether it may be given more than once; a list in the configuration file, commas in the environment.
  package var isRepeatable = false
  /// What holds where it is given nowhere; as text, for help and for reading.
  package var defaultText: String?
  package var help: String

  package init(
    _ name: String, _ kind: Kind = .string, _ valueName: String = "", isRepeatable: Bool = false,
    default defaultText: String? = nil, help: String
  ) {
    self.name = name
    self.kind = kind
    self.valueName = valueName
    self.isRepeatable = isRepeatable
    self.defaultText = defaultText
    self.help = help
  }

  /// `VARVE_WAL_LIMIT`.
  package var environmentName: String {
    "VARVE_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }

  /// Why a value will not do; `nil` if it will.
  package func complaint(about value: String) -> String? {
    switch kind {
    case .string, .optional: nil
    case .toggle: ["true", "false"].contains(value) ? nil : "takes true or false, not \"\(value)\""
    case .integer: Int(value).map { $0 >= 0 } == true ? nil : "takes a whole number, not \"\(value)\""
    case .size:
      Quantity.byteCount(value) == nil ? "takes a size such as 128MiB, 1GiB or bytes, not \"\(value)\"" : nil
    case .duration:
      Quantity.nanoseconds(value) == nil
        ? "takes a duration such as 90s, 12h, 30d or 1w, 0 or INF for ever, not \"\(value)\"" : nil
    case .choice(let words):
      words.contains(value)
        ? nil
        : "takes \(words.joined(separator: ", ")), not \"\(value)\""
          + (nearest(to: value, among: words).map { "; did you mean \($0)?" } ?? "")
    }
  }
}
