import Testing

@testable import godwit

@Suite struct TerminalTests {}
