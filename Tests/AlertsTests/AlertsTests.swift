import Testing

@Suite struct AlertsTests {}
