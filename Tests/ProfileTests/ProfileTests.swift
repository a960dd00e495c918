import Testing

@Suite struct ProfileTests {}
