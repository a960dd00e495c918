import Platform
import Testing

@Suite struct ByteScannerTests {
  @Test func numbersWordsAndLines() {
    ByteScanner.scan("cpu0 12 -7 3.25 rest of it  \nnext: ff") { text in
      let skipped1 = text.skip("cpu")
      #expect(skipped1)
      #expect(text.unsigned() == 0)
      #expect(text.unsigned() == 12)
      #expect(text.signed() == -7)
      #expect(text.decimal() == 3.25)
      #expect(text.unsigned() == nil)
      #expect(text.word() == "rest")
      text.skipBlanks()
      #expect(text.restOfLine() == "of it")
      text.skipLine()
      #expect(text.keyHash() == keyHash("next"))
      #expect(text.text(until: 0x3A) == "next")
      let skipped2 = text.skip(byte: 0x3A)
      #expect(skipped2)
      text.skipBlanks()
      #expect(text.hexadecimal() == 255)
      #expect(text.isAtEnd)
    }
  }

  @Test func saturatesInsteadOfWrapping() {
    ByteScanner.scan("99999999999999999999999 -99999999999999999999") { text in
      #expect(text.unsigned() == .max)
      #expect(text.signed() == -Int64.max)
    }
  }

  @Test func emptyTextHasNothing() {
    ByteScanner.scan("") { text in
      #expect(text.isAtEnd && text.next == nil && text.isAtLineEnd)
      #expect(text.unsigned() == nil && text.signed() == nil && text.decimal() == nil && text.hexadecimal() == nil)
      #expect(text.word().isEmpty && text.restOfLine().isEmpty)
      text.skipLine()
    }
  }

  @Test func lastByteOfItsKind() {
    ByteScanner.scan("1 (a ) b) S 2") { text in
      let skipped3 = text.skip(pastLast: 0x29)
      #expect(skipped3)
      #expect(text.word() == "S")
    }
  }

  @Test func namesSortAsPeopleCount() {
    #expect(["cpu10", "cpu2", "cpu1", "cpu"].sorted(by: naturallyPrecedes) == ["cpu", "cpu1", "cpu2", "cpu10"])
    #expect(
      ["a01", "a1"].sorted(by: naturallyPrecedes) == ["a01", "a1"]
        || ["a01", "a1"].sorted(by: naturallyPrecedes) == ["a1", "a01"])
  }
}
