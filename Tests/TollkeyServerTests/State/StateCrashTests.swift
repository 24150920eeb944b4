import Testing
import TollkeyCore
import TollkeyServer

struct StateCrashTests {
    /// What the outside knows: the last content that a save promised to keep, and one that was being saved.
    private struct Ledger {
        var kept: [RecordPlace: Secret] = [:]
        var underWay: (place: RecordPlace, content: Secret)?

        mutating func save(_ content: Secret, at place: RecordPlace, in store: StateStore) throws {
            underWay = (place, content)
            try store.save(content, at: place)
            kept[place] = content
            underWay = nil
        }
    }

    private struct Lost: Error { let place: RecordPlace }

    private static let places = ["acme", "tuku", "jpay"].map { RecordPlace.token($0) }

    /// Large enough that one record takes several pages, and the log is taken over into the database on the way.
    private static func content(_ round: Int) -> Secret {
        Secret([UInt8](repeating: UInt8(round & 0xff), count: round % 7 == 6 ? 9_000 : 40 + round))
    }

    private func begun() throws -> StateFolder {
        let folder = try StateFolder()
        _ = try folder.open()
        return folder
    }

    private static func save(_ rounds: Range<Int>, _ ledger: inout Ledger, in store: StateStore) throws {
        for round in rounds {
            try ledger.save(content(round), at: places[round % places.count], in: store)
        }
    }

    /// Each record is the one before or the one that was being saved; and the store goes on.
    private static func check(_ ledger: Ledger, _ folder: StateFolder) throws {
        let store = try folder.open()
        for place in places {
            let found = try store.load(place)?.content
            let isNext = ledger.underWay?.place == place && found == ledger.underWay?.content
            guard found == ledger.kept[place] || isNext else { throw Lost(place: place) }
        }
        try store.save(Secret("after"), at: places[0])
    }

    @Test func `a crash at any step of saving loses nothing that was saved`() throws {
        let crashes = try CrashShow.run(world: Ledger(), from: begun()) {
            ledger, folder, fileSystem in
            let store = try folder.open(fileSystem: fileSystem)
            try Self.save(0..<50, &ledger, in: store)
        } check: {
            try Self.check($0, $1)
        }
        #expect(crashes >= 1_000)
    }

    @Test func `a crash at any step of beginning a state leaves none, or a whole one`() throws {
        let crashes = try CrashShow.run(world: Ledger()) { ledger, folder, fileSystem in
            let store = try folder.open(fileSystem: fileSystem)
            try Self.save(0..<2, &ledger, in: store)
        } check: {
            try Self.check($0, $1)
        }
        #expect(crashes >= 60)
    }

    @Test func `a crash while two processes write loses nothing that either saved`() throws {
        let checks = try CrashShow.run(world: Ledger(), from: begun()) {
            ledger, folder, fileSystem in
            let daemon = try folder.open(fileSystem: fileSystem)
            for round in 0..<4 {
                let command = try folder.open(fileSystem: fileSystem)
                try Self.save(2 * round..<2 * round + 1, &ledger, in: daemon)
                try Self.save(2 * round + 1..<2 * round + 2, &ledger, in: command)
            }
        } check: {
            try Self.check($0, $1)
        }
        #expect(checks > 100)
    }

    @Test func `a save that the disk refuses is a failure, and so is each after it`() throws {
        let folder = try begun()
        let files = CrashingFileSystem(crashStep: 4)
        let store = try folder.open(fileSystem: files.name)
        for _ in 0..<2 {
            #expect(
                kind { try store.save(Secret("token"), at: Self.places[0]) }
                    == .system)
        }
        #expect(files.hasCrashed)
    }

    /// The show is worth something only if it finds what it is for.
    @Test(arguments: ["OFF", "NORMAL"])
    func `a database that does not wait for the disk is found out`(synchronous: String) throws {
        let template = try StateFolder()
        try Files.makeFolder(template.path)
        try RawDatabase.run("PRAGMA journal_mode = WAL; CREATE TABLE a (b)", in: template.database)
        let finding = #expect(throws: CrashShow.Finding.self) {
            try CrashShow.run(world: 0, from: template) { saved, folder, fileSystem in
                for number in 1...3 {
                    try RawDatabase.run(
                        "PRAGMA synchronous = \(synchronous); INSERT INTO a VALUES (zeroblob(\(number)))",
                        in: folder.database, fileSystem: fileSystem)
                    saved = number
                }
            } check: { saved, folder in
                let found = try RawDatabase.blobs("SELECT b FROM a", in: folder.database).count
                guard found >= saved else { throw Lost(place: Self.places[0]) }
            }
        }
        #expect(finding?.loss != .nothing)
    }
}
