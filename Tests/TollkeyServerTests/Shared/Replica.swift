import Logging
import Testing
import TollkeyCore
import TollkeyServer

/// One replica's records: a state of its own, beside a Redis server that it shares.
struct Replica {
    let folder: StateFolder
    let store: SharedStore

    /// Without a `grace`, what is marked need not wait for others' copies.
    init(
        _ redis: RedisServer, clock: ManualClock = ManualClock(), keys: [Secret] = [StateFolder.someKey],
        grace: Duration = .zero, in folder: StateFolder? = nil, prefix: String = "tollkey",
        log: LogBook? = nil
    ) throws {
        self.folder = try folder ?? StateFolder()
        var terms = SharedTerms()
        terms.grace = grace
        let timeouts = RedisTimeouts(connect: .seconds(10), command: .seconds(10))
        let client = try RedisClient(redis.settings, timeouts: timeouts, clock: clock.now)
        store = try SharedStore(
            beside: try self.folder.open(keys), client, prefix: prefix, keys: keys, terms: terms,
            clock: clock.clock, logger: log.map { log in Logger(label: "test") { _ in log } })
    }

    func hold(_ place: RecordPlace) throws -> any RecordLock {
        // Its files go with the last who has the folder.
        try withExtendedLifetime(folder) {
            try store.hold(place, timeout: .zero, isCancelled: { false })
        }
    }

    func text(_ place: RecordPlace) throws -> String? {
        try withExtendedLifetime(folder) {
            try store.load(place)?.content.reveal { String(decoding: $0, as: UTF8.self) }
        }
    }
}

extension RedisServer {
    /// As when all have had the time to put back what it may have lost.
    func settleRecords(prefix: String = "tollkey") throws {
        let line = try #require(
            ask("INFO server").split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id:") })
        _ = try ask("HSET \(prefix):records:epoch server \(line.dropFirst(7)) since 1")
    }

    /// As when a lock has run out.
    func endLock(_ place: RecordPlace, prefix: String = "tollkey") throws {
        #expect(try ask("DEL \(prefix):lock:\(place.kind):\(place.provider):\(place.name)") == ":1")
    }
}

extension RecordPlace {
    static func access(_ provider: String) -> RecordPlace {
        RecordPlace(kind: "credential", provider: provider, name: "access")
    }
}

/// A store that does something else at a renewal's steps, as a stalled process lets others do.
final class StallingStore: RecordStore {
    private let owner: Replica
    let beforeMark = Armed()
    let afterMark = Armed()
    let beforeSave = Armed()

    init(_ owner: Replica) { self.owner = owner }

    private var store: SharedStore { owner.store }
    var replica: String { store.replica }
    var local: StateStore { store.local }
    var lookInterval: Duration? { store.lookInterval }
    func load(_ place: RecordPlace) throws(StateFailure) -> StoredRecord? { try store.load(place) }
    func copy(_ place: RecordPlace) throws(StateFailure) -> StoredRecord? { try store.copy(place) }
    func all(kind: String) throws(StateFailure) -> [RecordPlace: StoredRecord] { try store.all(kind: kind) }

    func save(
        _ content: Secret, at place: RecordPlace, replacing version: Int64?
    ) throws(StateFailure) -> Int64 {
        if version == nil { beforeSave.fire() }
        return try store.save(content, at: place, replacing: version)
    }

    func mark(
        _ content: Secret, at place: RecordPlace, replacing version: Int64
    ) throws(StateFailure) -> Int64 {
        beforeMark.fire()
        defer { afterMark.fire() }
        return try store.mark(content, at: place, replacing: version)
    }

    func remove(_ place: RecordPlace, replacing version: Int64?) throws(StateFailure) {
        try store.remove(place, replacing: version)
    }
    func fingerprints(_ parts: [Secret]) throws(StateFailure) -> [[UInt8]] { try store.fingerprints(parts) }
    func hold(
        _ place: RecordPlace, timeout: Duration, isCancelled: () -> Bool
    ) throws(StateFailure) -> any RecordLock {
        try store.hold(place, timeout: timeout, isCancelled: isCancelled)
    }
    func look(at places: [RecordPlace]) -> Bool { store.look(at: places) }
    func ring() throws(StateFailure) { try store.ring() }
    func close() { store.close() }
}
