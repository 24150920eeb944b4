import Glibc
import Testing
import TollkeyCore
import TollkeyServer

struct StateDamageTests {
    /// Ten records, and nobody who has them open.
    private func filled() throws -> StateFolder {
        let folder = try StateFolder()
        let store = try folder.open()
        for number in 0..<10 { try store.save(Secret("token \(number)"), at: .token("\(number)")) }
        return folder
    }

    @Test func `a record that was moved to another place does not open there`() throws {
        let folder = try filled()
        let store = try folder.open()
        try RawDatabase.run(
            """
            CREATE TEMP TABLE other AS SELECT * FROM record;
            UPDATE record SET (version, sealed) = (SELECT version, sealed FROM other WHERE provider = '2')
                WHERE provider = '1';
            UPDATE record SET (version, sealed) = (SELECT version, sealed FROM other WHERE provider = '1')
                WHERE provider = '2';
            """, in: folder.database)
        for provider in ["1", "2"] { #expect(kind { try store.load(.token(provider)) } == .damaged) }
        #expect(kind { try store.all(kind: "token") } == .damaged)
        #expect(try store.load(.token("3"))?.content == Secret("token 3"))
        try store.save(Secret("anew"), at: .token("1"))
        #expect(try store.load(.token("1"))?.content == Secret("anew"))
    }

    @Test func `a record with another version, name or kind does not open`() throws {
        for change in ["version = version + 1", "name = 'other'", "kind = 'other'"] {
            let folder = try filled()
            try RawDatabase.run("UPDATE record SET \(change)", in: folder.database)
            let store = try folder.open()
            let kinds = [
                kind { try store.all(kind: "token") }, kind { try store.all(kind: "other") },
            ]
            #expect(kinds.contains(.damaged), "\(change)")
        }
    }

    @Test func `a record of which any bit was turned does not open`() throws {
        let folder = try filled()
        let store = try folder.open()
        let sealed = try #require(
            try RawDatabase.blobs("SELECT sealed FROM record WHERE provider = '4'", in: folder.database).first
        )
        for bit in 0..<sealed.count * 8 {
            var turned = sealed
            turned[bit / 8] ^= 1 << (bit % 8)
            try put(turned, in: folder)
            #expect(kind { try store.load(.token("4")) } == .damaged)
        }
        for count in 0..<sealed.count {
            try put(Array(sealed.prefix(count)), in: folder)
            #expect(kind { try store.load(.token("4")) } == .damaged)
        }
        try put(sealed, in: folder)
        #expect(try store.load(.token("4"))?.content == Secret("token 4"))
    }

    private func put(_ sealed: [UInt8], in folder: StateFolder) throws {
        let digits = sealed.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }
        try RawDatabase.run(
            "UPDATE record SET sealed = x'\(digits.joined())' WHERE provider = '4'", in: folder.database)
    }

    /// Turned bits in the file: refused, or what is loaded is right.
    @Test func `a database of which bits were turned never tells a wrong content`() throws {
        let folder = try filled()
        let whole = try Files.bytes(folder.database)
        var refusals = 0
        for position in Array(0..<100) + Array(stride(from: 100, to: whole.count, by: 41)) {
            var turned = whole
            turned[position] ^= 1 << (position % 8)
            let copy = try StateFolder()
            mkdir(copy.path, 0o700)
            try Files.write(turned, to: copy.database)
            do throws(StateFailure) {
                let store = try copy.open()
                for number in 0..<10 {
                    let found = try store.load(.token("\(number)"))
                    #expect(found == nil || found?.content == Secret("token \(number)"))
                }
            } catch { refusals += 1 }
        }
        #expect(refusals > 30)
    }

    @Test func `a database that was cut anywhere is told to be damaged, and left as it is`() throws {
        let folder = try filled()
        let whole = try Files.bytes(folder.database)
        #expect(whole.count >= 3 * 4_096)
        for count in Array(stride(from: 0, to: whole.count, by: 512)) + [1, 15, 16, 99, 100] {
            try Files.write(Array(whole.prefix(count)), to: folder.database)
            let refusal = folder.refusal()
            #expect(
                refusal == .damaged || refusal == .foreign, "\(count) bytes: \(String(describing: refusal))")
            #expect(try Files.bytes(folder.database) == Array(whole.prefix(count)))
        }
        try Files.write(whole, to: folder.database)
        #expect(try folder.open().all(kind: "token").count == 10)
    }

    /// SQLite would open it, and say so only when a renewal is saved.
    @Test func `a database whose header forbids writing is told to be damaged`() throws {
        let folder = try filled()
        var whole = try Files.bytes(folder.database)
        // The file format's version for writing; above 2, a file is for reading alone.
        whole[18] = 10
        try Files.write(whole, to: folder.database)
        #expect(folder.refusal() == .damaged)
        #expect(try Files.bytes(folder.database) == whole)
    }

    @Test func `what is no database is refused, and left as it is`() throws {
        for content in ["not a database at all", String(repeating: "x", count: 10_000)] {
            let folder = try StateFolder()
            mkdir(folder.path, 0o700)
            try Files.write(Array(content.utf8), to: folder.database)
            for keys in [[], [StateFolder.someKey]] { #expect(folder.refusal(keys) == .foreign) }
            #expect(try Files.bytes(folder.database) == Array(content.utf8))
            #expect(!Files.exists(folder.key))
        }
        let folder = try StateFolder()
        mkdir(folder.path, 0o700)
        mkdir(folder.database, 0o700)
        #expect(folder.refusal() == .foreign)
    }

    @Test func `another program's database is refused, and left as it is`() throws {
        for sql in [
            "CREATE TABLE record (a)", "PRAGMA application_id = 7; CREATE TABLE a (a)",
            "PRAGMA user_version = 1",
        ] {
            let folder = try StateFolder()
            mkdir(folder.path, 0o700)
            try RawDatabase.run(sql, in: folder.database)
            let before = try Files.bytes(folder.database)
            #expect(folder.refusal() == .foreign)
            #expect(try Files.bytes(folder.database) == before)
        }
    }

    @Test func `a later version's database is refused, and left as it is`() throws {
        let folder = try filled()
        try RawDatabase.run("PRAGMA user_version = 3", in: folder.database)
        let before = try Files.bytes(folder.database)
        let failure = try #require(folder.failure())
        #expect(failure.kind == .newer && failure.description.contains("later version"))
        #expect(try Files.bytes(folder.database) == before)
        try RawDatabase.run("PRAGMA user_version = 2", in: folder.database)
        #expect(folder.refusal() == nil)
    }

    @Test func `a database of ours without its tables, or its header, is damaged`() throws {
        for sql in [
            "DROP TABLE record", "DELETE FROM state", "ALTER TABLE state DROP COLUMN key_check",
            "PRAGMA user_version = 0", "PRAGMA user_version = -5",
            "UPDATE state SET last_version = 9223372036854775807", "UPDATE state SET last_version = -1",
        ] {
            let folder = try filled()
            try RawDatabase.run(sql, in: folder.database)
            #expect(folder.refusal() == .damaged, "\(sql)")
        }
    }

    @Test func `a log without its database is damage, not a beginning`() throws {
        let folder = try filled()
        unlink(folder.database)
        try Files.write([1, 2, 3], to: folder.database + "-wal")
        #expect(folder.refusal() == .damaged && !Files.exists(folder.database))
    }

    @Test func `what a beginning left that did not end is cleared away`() throws {
        let folder = try StateFolder()
        mkdir(folder.path, 0o700)
        for name in ["tollkey.db.unfinished", "tollkey.db.unfinished-journal"] {
            try Files.write(Array("remains".utf8), to: "\(folder.path)/\(name)")
        }
        try folder.open().save(Secret("token"), at: .token("acme"))
        #expect(!Files.all(in: folder.path).contains { $0.contains("unfinished") })
    }

    @Test func `a backup that SQLite has made can be put in place`() throws {
        let folder = try filled()
        let store = try folder.open()
        let copy = try StateFolder()
        mkdir(copy.path, 0o700)
        try RawDatabase.run("VACUUM INTO '\(copy.database)'", in: folder.database)
        #expect(try store.all(kind: "token") == copy.open().all(kind: "token"))
    }
}
