package import TollkeyCore

/// What was spent of every limit, in a Redis server: one process's way to it.
///
/// The server's memory has a number, the *epoch*. When it has lost its memory, or may have, another epoch begins, in
/// which nothing is granted for `graceTime`: long enough for every process to tell what it knows. A call blocks its
/// thread for `waitMax` at the longest.
package final class RedisLedger: Sendable {
    /// What the server says to a sign of life.
    package struct Beat: Sendable, Equatable {
        package let epoch: UInt64
        /// Until this epoch grants anything.
        package let graceLeft: TimeSpan
        /// Processes that have given a sign of life, this one among them.
        package let replicas: Int
    }

    private let client: RedisClient
    private let prefix: String
    private let process: String
    private let time: (@Sendable () -> Int64)?

    /// By then each process that reaches the server has told what it knows: it waits 1 s at the longest for its next try
    /// (`RedisBackoff.most`) and 0.5 s for its turn (`SharedLedger.beatTime`), has connected 0.4 s after that, and has
    /// its sign of life and what it tells answered within 0.3 s each. That is 2.5 s.
    package static let graceTime = TimeSpan(nanoseconds: 3_000_000_000)
    /// A process that gives no sign of life for so long counts as ended.
    package static let knownTime = TimeSpan(nanoseconds: 10_000_000_000)
    /// Bounds a call: a connection, the beat that it begins with, and what is asked.
    package static let waitMax: Duration = .seconds(1)
    package static let timeouts = RedisTimeouts(connect: .milliseconds(400), command: .milliseconds(300))

    /// `time` replaces the server's clock, in microseconds, for tests. `process`: the same for all of one process's.
    package init(
        _ settings: SharedSettings, process: String, clock: Clock = .system,
        timeouts: RedisTimeouts = RedisLedger.timeouts, time: (@Sendable () -> Int64)? = nil
    ) throws(SystemError) {
        client = try RedisClient(settings, timeouts: timeouts, clock: clock.monotonic)
        prefix = settings.prefix
        self.process = process
        self.time = time
    }

    package func close() { client.close() }

    /// A sign of life, and what the server's memory is.
    package func beat() throws(RedisFailure) -> Beat {
        let reply = try client.run(
            Self.beating, keys: [key("epoch"), key("replicas")],
            [
                now, RedisArgument(process), Self.argument(UInt64.random(in: 1 ... .max)),
                RedisArgument(Self.graceTime.microseconds), RedisArgument(Self.knownTime.microseconds),
            ])
        guard case .array(let parts) = reply, parts.count == 3, case .bytes(let id) = parts[0],
            case .integer(let left) = parts[1], case .integer(let replicas) = parts[2],
            let epoch = UInt64(String(decoding: id, as: UTF8.self), radix: 16)
        else { throw Self.foreign }
        return Beat(
            epoch: epoch, graceLeft: TimeSpan(microseconds: max(0, left)),
            replicas: max(1, Int(clamping: replicas)))
    }

    /// This process ends: the others' shares grow.
    package func leave() throws(RedisFailure) {
        _ = try client.perform(["ZREM", key("replicas"), RedisArgument(process)])
    }

    /// Answers each contact, in their order, `damaged` where the script ended with an error; nil when the server's memory is not `epoch`, or grants nothing yet, and a
    /// beat tells more. Some may have been recorded then.
    package func answer(_ contacts: [HeldContact], in epoch: UInt64) throws(RedisFailure) -> [LedgerReply]? {
        // Behind another connection may be a server that does not know all: only a beat finds out.
        if !client.isConnected { _ = try beat() }
        var replies: [LedgerReply] = []
        for (held, reply) in zip(contacts, try run(contacts, "ask", epoch)) {
            guard var reply = try Self.read(reply, limits: held.contact.limits.count) else { return nil }
            reply.era = epoch
            for (index, limit) in held.contact.limits.enumerated() where !reply.isDamaged {
                // More than was asked for nobody can have granted.
                reply.limits[index].held = min(reply.limits[index].held, limit.wanted)
            }
            replies.append(reply)
        }
        return replies
    }

    /// Has recorded what each contact reports, that its holder has `left` permits for `life`, and that its `total` was
    /// spent. Asks for nothing. False: the server's memory is not `epoch` any more.
    package func tell(_ contacts: [HeldContact], in epoch: UInt64) throws(RedisFailure) -> Bool {
        var rest = contacts[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Self.toldTogether))
            rest = rest.dropFirst(piece.count)
            for (held, reply) in zip(piece, try run(piece, "tell", epoch)) {
                guard try Self.read(reply, limits: held.contact.limits.count) != nil else { return false }
            }
        }
        return true
    }

    private static let toldTogether = 256

    // MARK: Words

    private func run(
        _ contacts: [HeldContact], _ verb: RedisArgument, _ epoch: UInt64
    ) throws(RedisFailure) -> [RedisReply] {
        let now = now
        return try client.run(
            Self.contact,
            contacts.map { held in
                let contact = held.contact
                var words: [RedisArgument] = [
                    now, verb, Self.argument(epoch), RedisArgument(Self.graceTime.microseconds),
                    Self.argument(held.holder), RedisArgument(contact.turn), RedisArgument(contact.pause),
                    Self.argument(contact.era),
                ]
                for limit in contact.limits {
                    words += [
                        limit.limit.windowMicroseconds, Int64(limit.limit.count), Int64(limit.used),
                        Int64(limit.acknowledged), limit.age, Int64(limit.left), Int64(limit.wanted),
                        limit.life, Int64(limit.total),
                    ].map { RedisArgument($0) }
                }
                let name = contact.key
                return (
                    [key("epoch"), key("quota:{\(name.provider)|\(name.authority)|\(name.category)}")], words
                )
            })
    }

    private func key(_ name: String) -> RedisArgument { RedisArgument("\(prefix):\(name)") }

    private var now: RedisArgument { time.map { RedisArgument($0()) } ?? "" }

    /// Beyond what a number of Lua's holds.
    private static func argument(_ number: UInt64) -> RedisArgument {
        RedisArgument(String(number, radix: 16))
    }

    private static func read(_ reply: RedisReply, limits: Int) throws(RedisFailure) -> LedgerReply? {
        if case .error = reply { return .damaged }
        guard case .array(let parts) = reply else { throw foreign }
        var numbers: [Int64] = []
        for part in parts {
            guard case .integer(let number) = part, (0...Self.numberMax).contains(number) else {
                throw foreign
            }
            numbers.append(number)
        }
        if numbers == [0] { return nil }
        guard numbers.count == 2 + 4 * limits, numbers[0] == 1 else { throw foreign }
        var reply = LedgerReply(limits: [])
        reply.pause = numbers[1]
        for index in 0..<limits {
            let part = numbers[(2 + 4 * index)...].prefix(4).map { $0 }
            reply.limits.append(
                LimitReply(
                    held: Int(part[0]), total: Int(part[1]), holders: Int(part[2]), nextIn: part[3]))
        }
        return reply
    }

    /// What a number of Lua's holds exactly.
    private static let numberMax: Int64 = 1 << 53

    private static let foreign = RedisFailure(
        .malformed, mayHaveRun: true, "Redis answers to a script of ours what it cannot have said")
}
