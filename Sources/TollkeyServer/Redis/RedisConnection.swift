import TollkeyCore

/// A connection that the server has let in. After a failure it is of no use: drop it.
final class RedisConnection {
    /// For messages: host and port.
    let peer: String
    private let wire: RedisWire
    private let reader: RedisReader

    /// Bytes of the replies to what was sent together.
    static let replyBytesMax = 1 << 20

    /// Connects, proves that it is the server that is meant, and shows it who we are, all by `deadline`.
    init(
        _ settings: SharedSettings, _ names: RedisNames, name: String, until deadline: MonotonicTime,
        _ interrupt: Interrupt
    ) throws(RedisFailure) {
        guard let reader = RedisReader() else { throw .noMemory }
        self.reader = reader
        peer = (settings.host.contains(":") ? "[\(settings.host)]" : settings.host) + ":\(settings.port)"
        let addresses = try names.addresses(until: deadline, interrupt)
        wire = try RedisWire.open(addresses, peer: peer, until: deadline, interrupt)
        do throws(RedisFailure) {
            if settings.isEncrypted {
                try wire.secure(Self.context(settings), name: settings.host, until: deadline)
            }
            try introduce(settings, name: name, until: deadline)
        } catch {
            throw error.beforeSending
        }
    }

    /// Made for each connection, so that a CA file that has changed counts.
    private static func context(_ settings: SharedSettings) throws(RedisFailure) -> TLSContext {
        var tls = TLSSettings()
        tls.ca = settings.ca
        do throws(TLSContext.Unusable) { return try TLSContext(tls, protocols: []) } catch {
            throw RedisFailure(.tls, error.description)
        }
    }

    /// Nothing has come since the last reply, not even the connection's end.
    var isQuiet: Bool { wire.isQuiet }

    /// Sends commands and reads as many replies.
    func exchange(_ request: RedisRequest, until deadline: MonotonicTime) throws(RedisFailure) -> [RedisReply]
    {
        var replies: [RedisReply] = []
        try exchange(request, into: &replies, until: deadline)
        return replies
    }

    private func exchange(
        _ request: RedisRequest, into replies: inout [RedisReply], until deadline: MonotonicTime
    ) throws(RedisFailure) {
        var bytes = 0
        try wire.exchange(request.bytes, until: deadline) { piece throws(RedisFailure) in
            if bytes == 0, let first = piece.first, Self.isTLS(first) {
                throw RedisFailure(.tls, "Redis at \(peer) speaks TLS there: the URL begins with rediss://")
            }
            bytes += piece.count
            guard bytes <= Self.replyBytesMax else {
                throw malformed("answered more than \(Self.replyBytesMax >> 20) MiB")
            }
            guard reader.feed(piece) else { throw .noMemory }
            while replies.count < request.count {
                switch reader.next() {
                case .reply(let reply): replies.append(reply)
                case .waits: return false
                case .malformed: throw malformed("answered what is no RESP, or out of all proportion")
                }
            }
            guard !reader.hasRest else { throw malformed("said more than it was asked") }
            return true
        }
    }

    /// What begins an alert or a handshake of TLS, and no reply.
    private static func isTLS(_ byte: UInt8) -> Bool { byte == 0x15 || byte == 0x16 }

    private func malformed(_ how: String) -> RedisFailure {
        RedisFailure(.malformed, mayHaveRun: true, "Redis at \(peer) \(how)")
    }

    // MARK: Introducing ourselves

    /// One flight, so that a connection costs one more round trip only.
    private func introduce(
        _ settings: SharedSettings, name: String, until deadline: MonotonicTime
    ) throws(RedisFailure) {
        let steps = Self.steps(settings, name: name)
        guard let request = RedisRequest(steps.map(\.command)) else {
            throw RedisFailure(.malformed, "the user or the password for Redis is too long")
        }
        var replies: [RedisReply] = []
        do throws(RedisFailure) {
            try exchange(request, into: &replies, until: deadline)
        } catch {
            guard error.kind == .unreachable else { throw error }
            guard case .error(let no)? = replies.first else {
                guard replies.isEmpty, !settings.isEncrypted else { throw error }
                let guess = "if it speaks TLS, the URL begins with rediss://"
                throw RedisFailure(.unreachable, "\(error.description); \(guess)")
            }
            // It said no before it was asked anything, and hung up.
            if no.endsConnection { throw no.failure(from: peer, isScript: false) }
            throw RedisFailure(
                .unreachable, code: no.code, "Redis at \(peer) turned us away; has it too many clients?")
        }
        for (step, reply) in zip(steps, replies) {
            guard case .error(let no) = reply, !step.excuses(no) else { continue }
            throw refusal(of: step, no)
        }
    }

    private enum Step {
        case authenticate(RedisCommand)
        case select(Int)
        case name(String)
        case greet

        var command: RedisCommand {
            switch self {
            case .authenticate(let command): command
            case .select(let database): ["SELECT", RedisArgument(database)]
            case .name(let name): ["CLIENT", "SETNAME", RedisArgument(name)]
            case .greet: ["PING"]
            }
        }

        /// A name is a courtesy; and where even a PING is forbidden, somebody has answered.
        func excuses(_ no: RedisErrorReply) -> Bool {
            switch self {
            case .authenticate, .select: false
            case .name: !no.endsConnection
            case .greet: no.code == "NOPERM"
            }
        }
    }

    private static func steps(_ settings: SharedSettings, name: String) -> [Step] {
        var steps: [Step] = []
        if let password = settings.password {
            let user = settings.user.map { [RedisArgument($0)] } ?? []
            steps.append(.authenticate(RedisCommand(["AUTH"] + user + [RedisArgument(password)])))
        }
        if settings.database != 0 { steps.append(.select(settings.database)) }
        return steps + [.name(name), .greet]
    }

    private func refusal(of step: Step, _ no: RedisErrorReply) -> RedisFailure {
        let failure = no.failure(from: peer, isScript: false)
        guard failure.kind == .command else { return failure }
        switch step {
        // Before version 6 a wrong password was an ERR, and one that is not wanted still is.
        case .authenticate:
            return RedisFailure(
                .refused, code: no.code,
                "Redis at \(peer) refuses the password, or has none for this user (\(no.code))")
        case .select(let database):
            return RedisFailure(.refused, code: no.code, "Redis at \(peer) has no database \(database)")
        case .name, .greet: return failure
        }
    }
}

/// Commands as they go over the wire, and how many replies they want.
struct RedisRequest {
    let bytes: [UInt8]
    let count: Int

    /// Nil beyond a bound of `RedisCommand`'s.
    init?(_ commands: [RedisCommand]) {
        guard let bytes = RedisCommand.encoded(commands) else { return nil }
        self.bytes = bytes
        count = commands.count
    }
}
