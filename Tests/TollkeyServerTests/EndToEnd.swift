import Testing

/// Everything that runs a whole proxy against fake providers.
///
/// One after the other: some of it counts the process's descriptors and memory, which are everybody's. The limit
/// bounds waits for the fake providers' events; a raw connection has a bound of its own.
@Suite(.serialized, .timeLimit(.minutes(1)))
enum EndToEnd {}
