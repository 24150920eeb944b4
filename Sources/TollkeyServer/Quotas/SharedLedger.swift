package import Logging
import Synchronization
package import TollkeyCore

/// The ledger of several replicas: Redis, and what `shared_fallback` says while Redis is away.
///
/// A thread of its own gives signs of life and finds out when Redis is back: while it is away, nobody else waits for
/// it. Whatever this process has heard from Redis, and what it has used since, is remembered here for a window, and
/// told when Redis has lost its memory or was away.
package final class SharedLedger: QuotaLedger {
    fileprivate struct State {
        var standing: LedgerStanding
        /// The memory of Redis that has been told all that is known here; nil before Redis has ever answered.
        var epoch: UInt64?
        var knowledge = LedgerKnowledge()
        /// Marks what is used in one absence.
        var absence: UInt64 = 0
        /// Redis is away still, and is being told what was used meanwhile: nobody is asked.
        var isTelling = false
        var saysAgain = MonotonicTime.never
    }
    private let state: Mutex<State>
    /// Held while the ledger that stands in answers: nothing of that is missing in what Redis is told afterwards.
    private let order = Mutex(())
    /// The clerk's, and the thread's.
    private let redis: RedisLedger
    private let pulse: RedisLedger
    private let local: SQLiteLedger?
    private let thread: TurnThread
    private let clock: Clock
    private let logger: Logger

    package let terms = LedgerTerms(isShared: true)

    /// Between two signs of life.
    package static let beatTime: Duration = .milliseconds(500)
    /// While Redis is away, it is said again.
    package static let reminderTime = TimeSpan(nanoseconds: 60_000_000_000)

    /// Asks Redis once, for `RedisLedger.waitMax` at the longest; when that fails, it is away for now. `time` replaces
    /// the server's clock, in microseconds, for tests.
    package init(
        _ settings: SharedSettings, directory: String, clock: Clock, logger: Logger,
        timeouts: RedisTimeouts = RedisLedger.timeouts, time: (@Sendable () -> Int64)? = nil
    ) throws(StateFailure) {
        let process = String(UInt64.random(in: .min ... .max), radix: 16)
        do throws(SystemError) {
            redis = try RedisLedger(settings, process: process, clock: clock, timeouts: timeouts, time: time)
            pulse = try RedisLedger(settings, process: process, clock: clock, timeouts: timeouts, time: time)
            thread = try TurnThread("quota-redis")
        } catch { throw StateFailure(.system, error.description) }
        local = settings.fallback == .local ? try SQLiteLedger(directory: directory, clock: clock) : nil
        self.clock = clock
        self.logger = logger
        var standing = LedgerStanding(.beginning, since: clock.monotonic())
        standing.fallback = settings.fallback
        state = Mutex(State(standing: standing))
        beat()
        let isRunning = thread.start(watching: -1) { [weak self] _ in self?.beat() ?? Self.beatTime }
        guard isRunning else { throw StateFailure(.system, "the system has no thread to give") }
    }

    package var standing: LedgerStanding { state.withLock { $0.standing } }

    /// Gives a sign of life, and returns when it was given; for clocks that are moved by hand.
    package func beatNow() {
        guard let done = try? Gate() else { return }
        // A letter is performed before a turn: with the second one, the turn behind the first one is over.
        for _ in 0..<2 {
            thread.post { done.open() }
            _ = done.wait(for: 1, timeout: nil)
        }
    }

    package func close() {
        pulse.close()
        thread.close()
        if standing.place == .shared { try? redis.leave() }
        redis.close()
    }

    // MARK: Answering

    package func answer(_ contacts: [HeldContact]) throws(LedgerFailure) -> [LedgerReply] {
        // Once more when it turns out that it is away, or back.
        for _ in 0..<2 {
            let (place, epoch) = state.withLock { ($0.standing.place, $0.epoch ?? 0) }
            switch place {
            case .shared:
                if let replies = askRedis(contacts, in: epoch) { return replies }
            case .away:
                let replies = try order.withLock { _ throws(LedgerFailure) in
                    state.withLock { $0.standing.place == .away && !$0.isTelling }
                        ? try standIn(for: contacts) : nil
                }
                if let replies { return replies }
            case .beginning, .local: break
            }
        }
        throw LedgerFailure(
            "Redis begins anew, and waits until all replicas have told what they know", isLogged: true)
    }

    private func askRedis(_ contacts: [HeldContact], in epoch: UInt64) -> [LedgerReply]? {
        do throws(RedisFailure) {
            guard let replies = try redis.answer(contacts, in: epoch) else {
                state.withLock { $0.begin(at: clock.monotonic()) }
                thread.wake()
                return nil
            }
            let now = clock.monotonic()
            state.withLock { state in
                for (held, reply) in zip(contacts, replies) { state.knowledge.note(reply, to: held, at: now) }
            }
            return replies
        } catch {
            goAway(error)
            return nil
        }
    }

    /// Asks the ledger on this machine for a share of each limit.
    private func standIn(for contacts: [HeldContact]) throws(LedgerFailure) -> [LedgerReply] {
        let (standing, absence) = state.withLock { ($0.standing, $0.absence) }
        guard let local else {
            throw LedgerFailure(
                "\(standing.reason ?? "Redis is away"); 'shared_fallback' is 'refuse'", isLogged: true)
        }
        let now = clock.monotonic()
        let shares = contacts.map { held in
            held.contact.limits.map {
                LedgerShare($0, replicas: standing.replicas, absent: now.since(standing.since))
            }
        }
        let asked = zip(contacts, shares).map { held, shares in
            HeldContact(held.contact.reduced(to: shares), of: held.holder ^ absence)
        }
        let replies = zip(try local.answer(asked), shares).map { $0.raised(from: $1) }
        state.withLock { state in
            for (held, reply) in zip(contacts, replies) { state.knowledge.note(reply, to: held, at: now) }
        }
        return replies
    }

    // MARK: Signs of life

    /// Moves the standing on. Returns when to be called again.
    @discardableResult
    private func beat() -> Duration {
        do throws(RedisFailure) {
            let beat = try pulse.beat()
            let (place, epoch) = state.withLock { state in
                // Where a new memory begins, not all have come back yet.
                let least = beat.graceLeft.nanoseconds > 0 ? state.standing.replicas : 1
                state.standing.replicas = max(beat.replicas, least)
                return (state.standing.place, state.epoch)
            }
            if place == .away || epoch != beat.epoch {
                guard try tell(all: epoch != beat.epoch, in: beat.epoch) else { return .zero }
                if epoch != beat.epoch {
                    logger.notice(
                        epoch == nil ? "shared quota ledger answers" : "shared quota ledger begins anew",
                        metadata: [
                            "replicas": "\(beat.replicas)",
                            "grantsInMilliseconds": "\(beat.graceLeft.microseconds / 1_000)",
                        ])
                }
            }
            if beat.graceLeft.nanoseconds > 0 {
                return min(Self.beatTime, .nanoseconds(beat.graceLeft.nanoseconds))
            }
            comeBack()
        } catch {
            guard error.kind != .closed else { return Self.beatTime }
            goAway(error)
        }
        return Self.beatTime
    }

    /// Redis is told what it may not know; from now on nobody else is asked. False: it has begun anew meanwhile.
    private func tell(all: Bool, in epoch: UInt64) throws(RedisFailure) -> Bool {
        let now = clock.monotonic()
        let contacts = order.withLock { _ in
            state.withLock { state in
                state.begin(at: now)
                return state.knowledge.contacts(all: all, at: now)
            }
        }
        guard try pulse.tell(contacts, in: epoch) else { return false }
        state.withLock { state in
            state.epoch = epoch
            state.knowledge.wasTold()
            state.wasTold(at: now)
        }
        return true
    }

    private func comeBack() {
        let now = clock.monotonic()
        let hasBegun = state.withLock { state in
            state.knowledge.prune(at: now)
            guard state.standing.place == .beginning else { return false }
            state.standing.place = .shared
            state.standing.since = now
            state.standing.reason = nil
            state.saysAgain = .never
            return true
        }
        if hasBegun { logger.notice("limits are counted in Redis", metadata: metadata()) }
    }

    /// Says it once, and from time to time again.
    private func goAway(_ failure: RedisFailure) {
        let now = clock.monotonic()
        let isToBeSaid = state.withLock { state in
            state.isTelling = false
            let isNew = state.standing.place != .away
            if isNew {
                state.standing.place = .away
                state.standing.since = now
                state.absence = UInt64.random(in: 1 ... .max)
            }
            state.standing.reason = failure.description
            guard isNew || now >= state.saysAgain else { return false }
            state.saysAgain = now + Self.reminderTime
            return true
        }
        if isToBeSaid {
            logger.error("shared quota ledger cannot be asked", metadata: metadata())
        }
    }

    private func metadata() -> Logger.Metadata {
        let standing = standing
        var metadata: Logger.Metadata = ["replicas": "\(max(1, standing.replicas))"]
        if let reason = standing.reason {
            metadata["reason"] = "\(reason)"
            metadata["meanwhile"] =
                standing.fallback == .local
                ? "this replica keeps to its share of every limit" : "calls under a limit are refused"
        }
        return metadata
    }
}

extension SharedLedger.State {
    /// Nobody is asked until Redis has been told all. Until then one that was away is away.
    fileprivate mutating func begin(at now: MonotonicTime) {
        switch standing.place {
        case .away: isTelling = true
        case .shared:
            standing.place = .beginning
            standing.since = now
        case .beginning, .local: break
        }
    }

    fileprivate mutating func wasTold(at now: MonotonicTime) {
        isTelling = false
        guard standing.place == .away else { return }
        standing.place = .beginning
        standing.since = now
    }
}
