import Synchronization
package import TollkeyCore

/// Asks a Redis server, over one connection that is made when it is needed, and made again after a failure.
///
/// A call blocks its thread, for `RedisTimeouts.connect` and `.command` together at the longest. It is meant for one
/// thread at a time: another one waits for its turn besides. `close` is for any thread.
///
/// A command is sent once. What has become of one that failed, `RedisFailure.mayHaveRun` tells.
package final class RedisClient: Sendable {
    private struct State {
        var connection: RedisConnection?
        var backoff = RedisBackoff()
    }

    private let settings: SharedSettings
    private let name: String
    private let timeouts: RedisTimeouts
    private let clock: @Sendable () -> MonotonicTime
    private let names: RedisNames
    private let interrupt: Interrupt
    private let state = Mutex(State())

    /// Opens nothing yet. `name` is what the server's `CLIENT LIST` shows, without spaces; `clock` is the backoff's.
    package init(
        _ settings: SharedSettings, name: String = "tollkey", timeouts: RedisTimeouts = RedisTimeouts(),
        clock: @escaping @Sendable () -> MonotonicTime = MonotonicTime.system
    ) throws(SystemError) {
        self.settings = settings
        self.name = name
        self.timeouts = timeouts
        self.clock = clock
        names = try RedisNames(settings.host, settings.port)
        interrupt = try Interrupt()
    }

    /// One command. An error that the server answers is thrown.
    package func perform(_ command: RedisCommand) throws(RedisFailure) -> RedisReply {
        let request = try Self.request([command])
        return try state.withLock { state throws(RedisFailure) in
            let connection = try connection(&state)
            let reply = try self.reply(to: request, on: connection, &state, until: deadline())
            if case .error(let no) = reply { throw no.failure(from: connection.peer, isScript: false) }
            return reply
        }
    }

    /// Several commands in one flight, not as one: others' may come between. An error that the server answers to one of
    /// them is that one's reply, but for those that make the connection useless.
    package func pipeline(_ commands: [RedisCommand]) throws(RedisFailure) -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        let request = try Self.request(commands)
        return try state.withLock { state throws(RedisFailure) in
            let connection = try connection(&state)
            return try exchange(request, on: connection, &state, until: deadline(), isScript: false)
        }
    }

    /// A script. The server is asked by its digest, and given the source when it does not know that: after a restart, a
    /// failover, `SCRIPT FLUSH`.
    package func run(
        _ script: RedisScript, keys: [RedisArgument] = [], _ arguments: [RedisArgument] = []
    ) throws(RedisFailure) -> RedisReply {
        let short = try script.byDigest(keys: keys, arguments).map { command throws(RedisFailure) in
            try Self.request([command])
        }
        return try state.withLock { state throws(RedisFailure) in
            let connection = try connection(&state)
            let deadline = deadline()
            var reply = RedisReply.null
            if let short {
                reply = try self.reply(to: short, on: connection, &state, until: deadline, isScript: true)
            }
            if short == nil || reply.isNoScript {
                let long = try Self.request([script.bySource(keys: keys, arguments)])
                reply = try self.reply(to: long, on: connection, &state, until: deadline, isScript: true)
            }
            if case .error(let no) = reply { throw no.failure(from: connection.peer, isScript: true) }
            return reply
        }
    }

    /// A script several times, in one flight, not as one: others' commands may come between. An error of the script
    /// itself is that one's reply; each other one has run, or it throws.
    package func run(
        _ script: RedisScript, _ calls: [(keys: [RedisArgument], arguments: [RedisArgument])]
    ) throws(RedisFailure) -> [RedisReply] {
        guard !calls.isEmpty else { return [] }
        return try state.withLock { state throws(RedisFailure) in
            let connection = try connection(&state)
            let deadline = deadline()
            var replies: [RedisReply] = []
            var missing = Array(calls.indices)
            let short = calls.compactMap { script.byDigest(keys: $0.keys, $0.arguments) }
            if short.count == calls.count {
                replies = try exchange(
                    Self.request(short), on: connection, &state, until: deadline, isScript: true)
                missing = replies.indices.filter { replies[$0].isNoScript }
            } else {
                replies = Array(repeating: .null, count: calls.count)
            }
            if let first = missing.first {
                // One brings the source, which the others behind it find.
                let long = missing.map { index in
                    let (keys, arguments) = calls[index]
                    return index == first || script.digest == nil
                        ? script.bySource(keys: keys, arguments) : short[index]
                }
                let late = try exchange(
                    Self.request(long), on: connection, &state, until: deadline, isScript: true)
                for (index, reply) in zip(missing, late) { replies[index] = reply }
            }
            for case .error(let no) in replies {
                let failure = no.failure(from: connection.peer, isScript: true)
                guard failure.kind != .script else { continue }
                // The others may have run.
                throw RedisFailure(
                    failure.kind, mayHaveRun: failure.mayHaveRun || calls.count > 1, code: failure.code,
                    failure.description)
            }
            return replies
        }
    }

    /// Whether the next command goes to the server that the last one went to, as far as is known.
    package var isConnected: Bool { state.withLock { $0.connection?.isQuiet ?? false } }

    /// Ends a call that waits, and fails all to come. The connection is closed when this returns.
    package func close() {
        interrupt.strike()
        names.close()
        state.withLock { $0.connection = nil }
    }

    // MARK: Steps of a call

    private static func request(_ commands: [RedisCommand]) throws(RedisFailure) -> RedisRequest {
        guard let request = RedisRequest(commands) else {
            throw RedisFailure(
                .malformed,
                "a command for Redis has no words, or is beyond \(RedisCommand.bytesMax >> 20) MiB")
        }
        return request
    }

    private func deadline() -> MonotonicTime { MonotonicTime.system() + TimeSpan(timeouts.command) }

    /// The one there is, or another one.
    private func connection(_ state: inout State) throws(RedisFailure) -> RedisConnection {
        guard !interrupt.isStruck else { throw .closed }
        // One that ended while nobody used it has failed nobody: a new one is made at once.
        if let connection = state.connection, connection.isQuiet { return connection }
        state.connection = nil
        if let failure = state.backoff.failure(at: clock()) { throw failure }
        do throws(RedisFailure) {
            let deadline = MonotonicTime.system() + TimeSpan(timeouts.connect)
            let connection = try RedisConnection(settings, names, name: name, until: deadline, interrupt)
            state.connection = connection
            return connection
        } catch {
            state.backoff.note(error, at: clock())
            throw error
        }
    }

    private func reply(
        to request: RedisRequest, on connection: RedisConnection, _ state: inout State,
        until deadline: MonotonicTime, isScript: Bool = false
    ) throws(RedisFailure) -> RedisReply {
        try exchange(request, on: connection, &state, until: deadline, isScript: isScript).first ?? .null
    }

    private func exchange(
        _ request: RedisRequest, on connection: RedisConnection, _ state: inout State,
        until deadline: MonotonicTime, isScript: Bool
    ) throws(RedisFailure) -> [RedisReply] {
        do throws(RedisFailure) {
            let replies = try connection.exchange(request, until: deadline)
            for case .error(let no) in replies where no.endsConnection {
                let failure = no.failure(from: connection.peer, isScript: isScript)
                // The commands beside it may have been let through.
                throw RedisFailure(
                    failure.kind, mayHaveRun: failure.mayHaveRun || request.count > 1, code: failure.code,
                    failure.description)
            }
            state.backoff.reset()
            return replies
        } catch {
            state.connection = nil
            state.backoff.note(error, at: clock())
            throw error
        }
    }
}

/// How long a call may take.
package struct RedisTimeouts: Sendable, Equatable {
    /// From the look-up of the name to the server's consent, over all addresses.
    package var connect: Duration
    /// From a command's first byte to its reply's last; of a script also when it is sent twice.
    package var command: Duration

    package init(connect: Duration = .milliseconds(500), command: Duration = .milliseconds(500)) {
        self.connect = connect
        self.command = command
    }
}
