import Testing

@Suite struct UplinkTests {}
