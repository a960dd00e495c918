import ArgumentParser

@main
struct Godwit: ParsableCommand {
  func run() {}
}
