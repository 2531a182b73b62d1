/// Work that could not be done: status 1.
package struct CommandFailure: Error, Equatable, CustomStringConvertible {
  package var description: String

  package init(_ description: String) { self.description = description }
}
