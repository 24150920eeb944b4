import Testing
import TollkeyCore
import TollkeyServer

/// Lends a client that has all the time it may need, and closes it.
func withClient(
    _ settings: SharedSettings, connect: Duration = .seconds(10), command: Duration = .seconds(10),
    clock: ManualClock = ManualClock(), _ body: (RedisClient) throws -> Void
) throws {
    let timeouts = RedisTimeouts(connect: connect, command: command)
    let client = try RedisClient(settings, timeouts: timeouts, clock: clock.now)
    defer { client.close() }
    try body(client)
}

/// The failure that `body` must come to. What is held against a failure holds for each: no secret shows in it.
@discardableResult
func expectFailure<Value>(
    _ kind: RedisFailure.Kind, mayHaveRun: Bool = false, says words: String? = nil,
    at location: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) throws -> RedisFailure {
    let failure = try #require(throws: RedisFailure.self, sourceLocation: location) { _ = try body() }
    #expect(failure.kind == kind, "\(failure)", sourceLocation: location)
    #expect(failure.mayHaveRun == mayHaveRun, "\(failure)", sourceLocation: location)
    if let words { #expect(failure.description.contains(words), "\(failure)", sourceLocation: location) }
    #expect(!String(reflecting: failure).contains("c4n4ry"), sourceLocation: location)
    return failure
}

extension SharedSettings {
    func with(_ change: (inout SharedSettings) -> Void) -> SharedSettings {
        var settings = self
        change(&settings)
        return settings
    }

    /// A server that a test plays by itself.
    static func at(_ upstream: RawUpstream) -> SharedSettings {
        SharedSettings(host: upstream.host).with { $0.port = upstream.port }
    }
}

extension RawUpstream {
    /// Accepts a client, and lets it in as a Redis server does.
    func welcome() throws -> RawConnection {
        let connection = try accept()
        try connection.endOfIntroduction()
        try connection.send("+OK\r\n+PONG\r\n")
        return connection
    }
}

extension RawConnection {
    func endOfIntroduction() throws { _ = try through("\r\n$4\r\nPING\r\n") }
}

extension RedisReply {
    static func bytes(_ text: String) -> RedisReply { .bytes(Array(text.utf8)) }
}
