import Testing

@Suite struct BufferTests {}
