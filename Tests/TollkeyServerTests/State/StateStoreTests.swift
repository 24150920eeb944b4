import Testing
import TollkeyCore
import TollkeyServer

struct StateStoreTests {
    private let place = RecordPlace.token("acme")

    @Test func `what is saved is loaded, also by the next process`() throws {
        let folder = try StateFolder()
        let version = try folder.open().save(Secret("token"), at: place)
        let record = try #require(try folder.open().load(place))
        #expect(record.content == Secret("token") && record.version == version)
    }

    @Test func `where nothing was saved nothing is loaded`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        try store.save(Secret("token"), at: place)
        for other in [
            RecordPlace(kind: "rotated", provider: "acme", name: "access"), .token("tuku"),
            RecordPlace(kind: "token", provider: "acme", name: "other"),
            RecordPlace(kind: "tokenacme", provider: "", name: "access"),
        ] { #expect(try store.load(other) == nil) }
    }

    @Test func `content may be empty, and any bytes`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        for content in [[], [0], Array(0...255), [UInt8](repeating: 0, count: 4_096)] as [[UInt8]] {
            try store.save(Secret(content), at: place)
            #expect(try store.load(place)?.content == Secret(content))
        }
    }

    @Test func `names may be any text`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let odd = RecordPlace(kind: "", provider: "a\0b'; DROP TABLE record --", name: "ünïcode")
        try store.save(Secret("token"), at: odd)
        #expect(try store.load(odd)?.content == Secret("token"))
        #expect(try store.load(RecordPlace(kind: "", provider: "a", name: "ünïcode")) == nil)
    }

    @Test func `versions grow with every writing, wherever it is, and after a removal`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let first = try store.save(Secret("1"), at: place)
        let second = try store.save(Secret("2"), at: .token("tuku"))
        try store.remove(place)
        let third = try store.save(Secret("3"), at: place)
        #expect(first < second && second < third)
    }

    @Test func `a version that was superseded replaces nothing`() throws {
        let folder = try StateFolder()
        let (mine, theirs) = (try folder.open(), try folder.open())
        let first = try mine.save(Secret("1"), at: place)
        try theirs.save(Secret("2"), at: place, replacing: first)
        #expect(kind { try mine.save(Secret("3"), at: place, replacing: first) } == .superseded)
        #expect(kind { try mine.remove(place, replacing: first) } == .superseded)
        #expect(try mine.load(place)?.content == Secret("2"))
    }

    @Test func `version 0 is that there is nothing yet`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let version = try store.save(Secret("1"), at: place, replacing: 0)
        #expect(kind { try store.save(Secret("2"), at: place, replacing: 0) } == .superseded)
        try store.remove(place, replacing: version)
        #expect(kind { try store.save(Secret("3"), at: place, replacing: version) } == .superseded)
    }

    @Test func `without a version anything is replaced`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        try store.save(Secret("1"), at: place)
        try store.save(Secret("2"), at: place)
        #expect(try store.load(place)?.content == Secret("2"))
        try store.remove(place)
        try store.remove(place)
        #expect(try store.load(place) == nil)
    }

    @Test func `all records of a kind are found, and no others`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let places = ["acme", "tuku", "jpay"].map { RecordPlace.token($0) }
        for place in places { try store.save(Secret(place.provider), at: place) }
        try store.save(Secret("other"), at: RecordPlace(kind: "rotated", provider: "acme", name: "access"))
        let found = try store.all(kind: "token")
        #expect(Set(found.keys) == Set(places))
        #expect(found.allSatisfy { $0.value.content == Secret($0.key.provider) })
        #expect(try store.all(kind: "none").isEmpty)
    }

    @Test func `content up to 64 KiB is kept, and no more`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let bound = StateStore.contentBytesMax
        try store.save(Secret([UInt8](repeating: 7, count: bound)), at: place)
        let tooLarge = Secret([UInt8](repeating: 8, count: bound + 1))
        #expect(kind { try store.save(tooLarge, at: place) } == .tooLarge)
        #expect(try store.load(place)?.content == Secret([UInt8](repeating: 7, count: bound)))
    }

    @Test func `names up to 255 bytes are kept, and no longer ones`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let name = String(repeating: "n", count: StateStore.nameBytesMax)
        try store.save(Secret("token"), at: RecordPlace(kind: name, provider: name, name: name))
        for place in [
            RecordPlace(kind: name + "n", provider: "", name: ""),
            RecordPlace(kind: "", provider: name + "n", name: ""),
            RecordPlace(kind: "", provider: "", name: name + "n"),
        ] { #expect(kind { try store.save(Secret("token"), at: place) } == .tooLarge) }
    }

    @Test func `a state that has reached its bound says so, and keeps what it has`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        try store.save(Secret("token"), at: place)
        let most = StateStore.bytesMax - (64 << 10)
        try RawDatabase.run(
            "INSERT INTO record VALUES ('other', '', '', 1, zeroblob(\(most)))", in: folder.database)
        #expect(kind { try store.save(Secret([UInt8](repeating: 1, count: 64 << 10)), at: place) } == .system)
        #expect(try store.load(place)?.content == Secret("token"))
    }

    @Test func `many threads save side by side`() async throws {
        let folder = try StateFolder()
        let store = try folder.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    for round in 0..<20 { try store.save(Secret("\(round)"), at: .token("\(thread)")) }
                }
            }
            try await group.waitForAll()
        }
        let found = try store.all(kind: "token")
        #expect(found.count == 8 && found.values.allSatisfy { $0.content == Secret("19") })
        #expect(Set(found.values.map(\.version)).count == 8)
    }

    @Test func `of writers that race for one version one succeeds each time`() async throws {
        let folder = try StateFolder()
        let place = place
        let first = try folder.open().save(Secret("0"), at: place)
        let wins = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                let store = try folder.open()
                group.addTask {
                    (0..<10).reduce(into: 0) { wins, _ in
                        let isMine = (try? store.save(Secret("x"), at: place, replacing: first)) != nil
                        if isMine { wins += 1 }
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wins == 1)
    }

    @Test func `fingerprints tell parts from others, and are the same for every process`() throws {
        let folder = try StateFolder()
        let store = try folder.open()
        let parts = [Secret("client"), Secret("password")]
        let print = try store.fingerprint(parts)
        #expect(print.count == 32)
        #expect(try folder.open().fingerprint(parts) == print)
        for other in [["clientpassword"], ["clien", "tpassword"], ["password", "client"], ["client"], []] {
            #expect(try store.fingerprint(other.map { Secret($0) }) != print)
        }
        #expect(try StateFolder().open().fingerprint(parts) != print)
    }

    @Test func `a store says whether it was there before`() throws {
        let folder = try StateFolder()
        #expect(try folder.open().isFresh)
        #expect(try !folder.open().isFresh)
    }
}

/// The kind of state failure that `body` ends with; nil when it does not.
func kind<Result>(_ body: () throws -> Result) -> StateFailure.Kind? {
    do { _ = try body() } catch { return (error as? StateFailure)?.kind }
    return nil
}
