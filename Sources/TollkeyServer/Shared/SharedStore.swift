import Glibc
package import Logging
import Synchronization
package import TollkeyCore

/// Records that several replicas have together: on a Redis server, sealed, and a copy on each replica's own disk.
///
/// **Versions** are one order for all: larger than the one before, and never less than the wall clock in milliseconds.
/// Of two that nobody knew of each other, as after a loss, the later one counts. Those of a state that was not shared
/// yet are far smaller, and lose against any.
///
/// **Writing.** Redis decides (`SharedScripts.save`), then the local disk keeps a copy, then it counts. Without Redis,
/// what does not need others is kept here, and put there when it is back. **Reading** takes the later of both, and
/// writes it where it was not: so what Redis has acknowledged and lost, comes back from whoever has it.
///
/// **Why no refresh token is spent twice.** It is marked before it is spent (`mark`): Redis takes the mark only while
/// the lock is held there, on the server that gave the lock, over the very version that was read. So of all that have
/// read the same token, one marks it. Who finds a mark that is not its own machine's, spends nothing. Say A holds the
/// lock and stalls, for however long, and B takes it when it has run out:
/// - *Between lock and mark*: A's mark is refused, its lock is not there any more.
/// - *Between mark and sending*: B finds the mark and does not spend. A looks at the clock and sends nothing after
///   `callWithin`; where it stalls behind that look, it sends what nobody else does.
/// - *Between answer and keeping*: B finds the mark. When B has kept something else by then, A's lock has the smaller
///   fence and A takes over what B has kept; when not, A's answer is kept, for it is the only one that spent anything.
/// - *When taking the mark away*, since nothing was sent: the same, by version and fence.
///
/// **When Redis loses data**, a mark can be among it. The local copy of whoever wrote it is put back with the next
/// look, and nobody marks anything for `grace` after another server is met, or an empty one, or a single record is
/// found missing. As a lock is bound to its server, `grace` is longer than `callWithin`, and looks come far more often,
/// a mark is back before anybody could spend the token that it is on. What remains: a holder that has spent the token
/// and cannot be heard for all of `grace` while Redis loses its mark, and two halves of a network that have a Redis
/// each; Redis' `min-replicas-to-write` is against those.
///
/// **Without Redis** nothing is marked: no refresh token is spent, nothing is rotated.
package final class SharedStore: RecordStore {
    package let replica: String
    package let local: StateStore
    private let records: SharedRecords
    private let seals: SharedSeals
    private let clock: Clock
    private let logger: Logger?
    /// Why Redis cannot be asked; nil when it can.
    private let trouble = Mutex<RedisFailure?>(nil)
    /// What was said last of a record that cannot be used.
    private let told = Mutex<[RecordPlace: String]>([:])
    /// The locks that are held through this store: what is saved at a place is saved under its lock.
    private let locks = Mutex<[RecordPlace: SharedRecords.Lock]>([:])

    /// Smaller versions were given by a state that was not shared.
    static let leastVersion: Int64 = 1 << 40
    private static let savesMax = 4

    /// Opens no connection yet. `keys` are the state keys that all replicas have.
    package init(
        beside local: StateStore, _ client: RedisClient, prefix: String, keys: [Secret],
        terms: SharedTerms = SharedTerms(), clock: Clock, logger: Logger? = nil
    ) throws(StateFailure) {
        self.local = local
        self.clock = clock
        self.logger = logger
        records = SharedRecords(client: client, prefix: prefix, terms: terms)
        seals = try SharedSeals(keys)
        // A copy of the directory on another machine is another replica.
        let parts = [Secret("replica"), Secret(Self.nodeName())]
        replica = String(Hex.text(try local.fingerprint(parts)).prefix(Self.replicaDigits))
    }

    private static let replicaDigits = 32

    private static func nodeName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package var lookInterval: Duration? { records.terms.lookInterval }

    // MARK: Reading

    package func copy(_ place: RecordPlace) throws(StateFailure) -> StoredRecord? { try local.load(place) }

    package func all(kind: String) throws(StateFailure) -> [RecordPlace: StoredRecord] {
        try local.all(kind: kind)
    }

    package func load(_ place: RecordPlace) throws(StateFailure) -> StoredRecord? {
        for _ in 0..<Self.savesMax {
            guard let answer = ask({ records throws(RedisFailure) in Answer(try records.read(place)) }) else {
                break
            }
            let copy = try local.load(place)
            if let found = answer.found, found.version >= copy?.version ?? 0 {
                return try take(found, at: place, over: copy)
            }
            guard let copy, copy.version >= Self.leastVersion else { return copy }
            if try restore(copy, at: place) { return copy }
        }
        return try local.load(place)
    }

    private struct Answer: Sendable {
        let found: SharedRecords.Found?
        init(_ found: SharedRecords.Found?) { self.found = found }
    }

    /// What Redis has is what counts.
    private func take(
        _ found: SharedRecords.Found, at place: RecordPlace, over copy: StoredRecord?
    ) throws(StateFailure) -> StoredRecord? {
        guard !found.sealed.isEmpty else {
            if let copy { try? local.remove(place, replacing: copy.version) }
            return nil
        }
        guard let opened = seals.open(found.sealed, at: place, version: found.version) else {
            throw StateFailure(
                .wrongKey,
                "Redis' \(records.record(place)) was sealed with another state key, or altered; all replicas need the same 'state_key' (the first seals, all open), and who has lost it removes the record there (DEL)"
            )
        }
        try local.adopt(opened.content, at: place, as: found.version)
        if !opened.isPresent {
            let sealed = try seals.seal(opened.content, at: place, version: found.version)
            _ = ask { records throws(RedisFailure) in
                try records.reseal(sealed, at: place, as: found.version)
            }
        }
        return StoredRecord(version: found.version, content: opened.content)
    }

    /// Puts back what Redis has lost. False when it has got something later meanwhile.
    private func restore(_ copy: StoredRecord, at place: RecordPlace) throws(StateFailure) -> Bool {
        let sealed = try seals.seal(copy.content, at: place, version: copy.version)
        let saved = ask { records throws(RedisFailure) in
            try records.restore(sealed, at: place, as: copy.version)
        }
        if saved == .saved {
            logger?.warning(
                "record put back into Redis",
                metadata: ["kind": "\(place.kind)", "provider": "\(place.provider)", "name": "\(place.name)"])
        }
        return saved != .superseded
    }

    package func look(at places: [RecordPlace]) -> Bool {
        var hasNews = false
        var rest = places[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(Self.lookedAtOnce))
            rest = rest.dropFirst(some.count)
            guard
                let versions = ask({ records throws(RedisFailure) in try records.versions(some) })
            else { break }
            for (place, version) in zip(some, versions) {
                do throws(StateFailure) {
                    let before = try local.load(place)?.version ?? 0
                    guard version != before else { continue }
                    if try load(place)?.version ?? 0 != before { hasNews = true }
                    told.withLock { $0[place] = nil }
                } catch { tell(error, of: place) }
            }
        }
        return hasNews
    }

    private static let lookedAtOnce = 1_000

    /// Each look comes upon it again: once is enough.
    private func tell(_ failure: StateFailure, of place: RecordPlace) {
        let before = told.withLock { $0.updateValue(failure.description, forKey: place) }
        guard before != failure.description else { return }
        logger?.error(
            "shared record cannot be used",
            metadata: ["provider": "\(place.provider)", "reason": "\(failure)"])
    }

    // MARK: Writing

    @discardableResult
    package func save(
        _ content: Secret, at place: RecordPlace, replacing version: Int64?
    ) throws(StateFailure) -> Int64 {
        try write(content, at: place, replacing: version, mark: false)
    }

    package func mark(
        _ content: Secret, at place: RecordPlace, replacing version: Int64
    ) throws(StateFailure) -> Int64 {
        guard locks.withLock({ $0[place] }) != nil else { throw unshared() }
        return try write(content, at: place, replacing: version, mark: true)
    }

    package func remove(_ place: RecordPlace, replacing version: Int64?) throws(StateFailure) {
        _ = try write(nil, at: place, replacing: version, mark: false)
    }

    /// Without `content`: removes it.
    private func write(
        _ content: Secret?, at place: RecordPlace, replacing known: Int64?, mark: Bool
    ) throws(StateFailure) -> Int64 {
        if let content { try StateStore.check(content, place) }
        let lock = locks.withLock { $0[place] }
        var before = known ?? 0
        if known == nil { before = try local.load(place)?.version ?? 0 }
        var version = next(after: before)
        // To Redis, what a state that was not shared has is nothing.
        let replaced = known.map { $0 < Self.leastVersion ? 0 : $0 }
        for _ in 0..<Self.savesMax {
            var sealed: [UInt8] = []
            if let content { sealed = try seals.seal(content, at: place, version: version) }
            let saved = ask { [version, sealed] records throws(RedisFailure) in
                try records.save(
                    sealed, at: place, as: version, replacing: replaced, under: lock, mark: mark)
            }
            switch saved {
            case .saved?:
                try keep(content, at: place, as: version, replacing: nil)
                return version
            case nil:
                // Under a lock that others believe in, only what they cannot know otherwise is kept for later.
                guard !mark, lock == nil || known == nil else { throw unshared() }
                try keep(content, at: place, as: version, replacing: known)
                return version
            case .later(let present)?: version = next(after: present)
            case .superseded?: throw superseded(place)
            case .unlocked?:
                throw StateFailure(
                    .superseded, "the lock on \(place.provider)/\(place.name) ran out, or Redis has lost it")
            case .unsettled(let left)?:
                throw StateFailure(
                    .unshared,
                    "Redis has lost data or is another server than before; for \(left / 1_000 + 1) s more, others may put back what is later"
                )
            }
        }
        throw superseded(place)
    }

    private func keep(
        _ content: Secret?, at place: RecordPlace, as version: Int64, replacing known: Int64?
    ) throws(StateFailure) {
        guard let content else { return try local.remove(place, replacing: known) }
        try local.adopt(content, at: place, as: version, replacing: known)
    }

    private func next(after version: Int64) -> Int64 { max(version + 1, clock.wall(), Self.leastVersion) }

    private func superseded(_ place: RecordPlace) -> StateFailure {
        StateFailure(
            .superseded,
            "another replica has written the \(place.kind) \(place.provider)/\(place.name) since it was read")
    }

    private func unshared() -> StateFailure {
        let reason = trouble.withLock { $0?.description } ?? "Redis could not be asked for the lock"
        return StateFailure(.unshared, reason)
    }

    package func fingerprints(_ parts: [Secret]) throws(StateFailure) -> [[UInt8]] {
        // The last one is of before anything was shared.
        try seals.fingerprints(parts) + [local.fingerprint(parts)]
    }

    package func ring() throws(StateFailure) { try local.ring() }

    package func close() { records.client.close() }

    // MARK: Locks

    package func hold(
        _ place: RecordPlace, timeout: Duration, isCancelled: () -> Bool
    ) throws(StateFailure) -> any RecordLock {
        let begun = MonotonicTime.system()
        // First among the processes of this machine: a lock in Redis of this replica's is then nobody's any more.
        let own = try local.lock(place, timeout: timeout, isCancelled: isCancelled)
        let interval = records.terms.lockInterval
        while true {
            let taken = clock.monotonic()
            let attempt = ask { records throws(RedisFailure) in
                Attempt(lock: try records.lock(place, for: replica))
            }
            guard let attempt else { return SharedLock(own, callUntil: nil) {} }
            if let lock = attempt.lock {
                locks.withLock { $0[place] = lock }
                let until = taken + TimeSpan(records.terms.callWithin)
                return SharedLock(own, callUntil: (clock, until)) { [self] in
                    locks.withLock { $0[place] = nil }
                    _ = ask { records throws(RedisFailure) in try records.unlock(place, lock) }
                }
            }
            // All of it counts: a slow server makes each try as long as a wait.
            guard MonotonicTime.system().since(begun) < TimeSpan(timeout), !isCancelled() else {
                own.release()
                throw StateFailure(
                    .busy,
                    "another replica has been at work on \(place.provider)/\(place.name) for more than \(timeout)"
                )
            }
            usleep(UInt32(clamping: interval.milliseconds * 1_000))
        }
    }

    private struct Attempt: Sendable { let lock: SharedRecords.Lock? }

    // MARK: Asking

    /// nil when Redis cannot be asked. Whether it can is told when it changes.
    private func ask<Answer>(_ body: (SharedRecords) throws(RedisFailure) -> Answer) -> Answer? {
        do throws(RedisFailure) {
            let answer = try body(records)
            if trouble.withLock({ $0.take() }) != nil { logger?.notice("tokens are shared again") }
            return answer
        } catch {
            let isNew = trouble.withLock { trouble in
                defer { trouble = error }
                return trouble == nil
            }
            if isNew, error.kind != .closed {
                logger?.error("tokens are not shared", metadata: ["reason": "\(error)"])
            }
            return nil
        }
    }

    /// Why Redis cannot be used now; nil when it can.
    package func fault() -> String? {
        _ = ask { records throws(RedisFailure) in try records.versions([]) }
        return trouble.withLock { $0?.description }
    }
}
