import Glibc
import Testing
import TollkeyCore
import TollkeyServer

/// The ledger in the state directory: its clock, and what is wrong with its file.
struct SQLiteLedgerTests {
    private let folder: StateFolder
    private let clock = ManualClock()

    init() throws { folder = try StateFolder() }

    private func ledger(boot: String = "one") throws -> SQLiteLedger {
        try SQLiteLedger(directory: folder.path, clock: clock.clock, bootID: boot)
    }

    /// Takes as many permits as can be had of so many in a minute, and uses them; how many.
    private func take(_ ledger: SQLiteLedger, holder: UInt64, of count: Int = 5) throws -> Int {
        var part = LimitContact(limit: LimitSettings(count: count, window: .seconds(60)))
        (part.wanted, part.life) = (count, 1_000_000)
        let key = LedgerKey(provider: "acme", authority: "a", category: "c")
        let first = try ledger.answer([
            HeldContact(LedgerContact(key: key, turn: 1, limits: [part]), of: holder)
        ])
        (part.wanted, part.used) = (0, first[0].limits[0].held)
        _ = try ledger.answer([HeldContact(LedgerContact(key: key, turn: 2, limits: [part]), of: holder)])
        return part.used
    }

    @Test func `the count goes on where another process left it`() throws {
        #expect(try take(ledger(), holder: 1) == 5)
        clock.advance(by: .milliseconds(59_999))
        #expect(try take(ledger(), holder: 2) == 0)
        clock.advance(by: .milliseconds(1))
        #expect(try take(ledger(), holder: 3) == 5)
    }

    @Test func `within a boot the wall clock may be set as it likes`() throws {
        let ledger = try ledger()
        #expect(try take(ledger, holder: 1) == 5)
        for (number, step) in [Duration.seconds(86_400), .seconds(-200_000), .seconds(3_600)].enumerated() {
            clock.step(by: step)
            #expect(try take(ledger, holder: UInt64(10 + number)) == 0)
        }
        clock.advance(by: .seconds(60))
        #expect(try take(ledger, holder: 2) == 5)
    }

    /// Another boot's monotonic clock begins anew.
    private func reboot(after wall: Duration, monotonic: Duration) -> Clock {
        clock.step(by: wall)
        let hand = MonotonicTime(nanoseconds: TimeSpan(monotonic).nanoseconds)
        return Clock(monotonic: { hand }, wall: clock.clock.wall)
    }

    @Test func `over a reboot the wall clock tells how much time has gone`() throws {
        #expect(try take(ledger(), holder: 1) == 5)
        let soon = reboot(after: .seconds(59), monotonic: .seconds(7))
        let second = try SQLiteLedger(directory: folder.path, clock: soon, bootID: "two")
        #expect(try take(second, holder: 2) == 0)
        let later = reboot(after: .seconds(1), monotonic: .seconds(3))
        let third = try SQLiteLedger(directory: folder.path, clock: later, bootID: "three")
        #expect(try take(third, holder: 3) == 5)
    }

    @Test func `a wall clock that was set back over a reboot gives nothing early`() throws {
        #expect(try take(ledger(), holder: 1) == 5)
        for (number, back) in [Duration.seconds(-1), .seconds(-1_000_000)].enumerated() {
            let clock = reboot(after: back, monotonic: .seconds(1_000_000))
            let ledger = try SQLiteLedger(directory: folder.path, clock: clock, bootID: "boot \(number)")
            #expect(try take(ledger, holder: 2) == 0)
        }
    }

    @Test func `a machine that was off for ever begins anew`() throws {
        #expect(try take(ledger(), holder: 1) == 5)
        let clock = reboot(after: .seconds(4_000_000_000), monotonic: .seconds(1))
        let ledger = try SQLiteLedger(directory: folder.path, clock: clock, bootID: "two")
        #expect(try take(ledger, holder: 2) == 5)
    }

    @Test func `a record that cannot be read is told, and the others are answered`() throws {
        let ledger = try ledger()
        #expect(try take(ledger, holder: 1) == 5)
        try RawDatabase.run("UPDATE category SET record = x'07'", in: folder.path + "/quota.db")
        let contacts = ["c", "other"].map { name in
            LedgerContact(
                key: LedgerKey(provider: "acme", authority: "a", category: name), turn: 9, limits: [])
        }
        #expect(
            try ledger.answer(contacts.map { HeldContact($0, of: 1) })
                == [LedgerReply.damaged, LedgerReply(limits: [])])
    }

    @Test func `another program's database is refused, and left as it is`() throws {
        for sql in [
            "CREATE TABLE clock (a)", "PRAGMA application_id = 7", "PRAGMA user_version = 1",
            "PRAGMA application_id = 7; CREATE TABLE a (a)",
        ] {
            let folder = try StateFolder()
            try Files.makeFolder(folder.path)
            try RawDatabase.run(sql, in: folder.path + "/quota.db")
            let before = try Files.bytes(folder.path + "/quota.db")
            #expect(kind(folder) == .foreign, "\(sql)")
            #expect(try Files.bytes(folder.path + "/quota.db") == before)
        }
        let folder = try StateFolder()
        try Files.makeFolder(folder.path)
        try Files.write(
            Array("not a database at all, but long enough for a header".utf8), to: folder.path + "/quota.db")
        #expect(kind(folder) == .foreign)
        #expect(words(folder)?.contains("-shm files, which forgets") == true)
    }

    @Test func `a later version's ledger is refused`() throws {
        _ = try ledger()
        try RawDatabase.run("PRAGMA user_version = 2", in: folder.path + "/quota.db")
        #expect(kind(folder) == .newer)
    }

    @Test func `a ledger whose tables are others is damaged`() throws {
        for sql in ["DROP TABLE clock; CREATE TABLE clock (a)", "UPDATE clock SET last = -1"] {
            let folder = try StateFolder()
            _ = try SQLiteLedger(directory: folder.path, clock: clock.clock, bootID: "one")
            try RawDatabase.run(sql, in: folder.path + "/quota.db")
            guard kind(folder) == nil else {
                #expect(kind(folder) == .damaged)
                #expect(words(folder)?.contains("backup") == false)
                continue
            }
            let ledger = try SQLiteLedger(directory: folder.path, clock: clock.clock, bootID: "one")
            #expect(throws: LedgerFailure.self) { try take(ledger, holder: 1) }
        }
    }

    /// Root may write everywhere.
    @Test(.enabled(if: geteuid() != 0))
    func `a directory that cannot be written is told`() throws {
        try Files.makeFolder(folder.path)
        chmod(folder.path, 0o500)
        #expect(kind(folder) == .directory)
        chmod(folder.path, 0o700)
    }

    private func failure(_ folder: StateFolder) -> StateFailure? {
        do throws(StateFailure) {
            _ = try SQLiteLedger(directory: folder.path, clock: clock.clock, bootID: "one")
        } catch { return error }
        return nil
    }

    private func kind(_ folder: StateFolder) -> StateFailure.Kind? { failure(folder)?.kind }

    private func words(_ folder: StateFolder) -> String? { failure(folder)?.description }

    @Test func `the files are their owner's alone`() throws {
        let ledger = try ledger()
        #expect(try take(ledger, holder: 1) == 5)
        for name in ["quota.db", "quota.db-wal", "quota.db-shm"] {
            #expect(Files.mode("\(folder.path)/\(name)") == 0o600, "\(name)")
        }
    }
}
