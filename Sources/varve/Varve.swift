/// The command.
@main struct Varve {
  static func main() {}
}
