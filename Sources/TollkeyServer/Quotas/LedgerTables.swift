import TollkeyCore

/// The database of an `SQLiteLedger`: its tables and the statements on them.
final class LedgerTables {
    private let database: Database
    private let readClock: Statement
    private let writeClock: Statement
    private let readRecord: Statement
    private let writeRecord: Statement
    private var isDurable = true

    /// In one statement, since another process may be beginning it.
    private static let isOurs = """
        SELECT (SELECT application_id FROM pragma_application_id) = \(application)
            OR (SELECT application_id FROM pragma_application_id) = 0
            AND (SELECT user_version FROM pragma_user_version) = 0
            AND NOT EXISTS (SELECT 1 FROM sqlite_schema)
        """
    /// "Tolq".
    private static let application: Int64 = 0x546f_6c71
    private static let schema: Int64 = 1
    /// All of the database: some 8 KiB for each of the most categories that a configuration can have.
    static let bytesMax = 512 << 20
    private static let logPages = 256

    init(_ path: String, fileSystem: String?) throws(StateFailure) {
        let database = try Database(path, fileSystem: fileSystem, for: .counts)
        self.database = database
        guard try database.number(Self.isOurs) == 1 else {
            throw StateFailure(
                .foreign, "\(path) is another program's database; name another directory as 'state'")
        }
        let found = try database.number("PRAGMA user_version")
        guard found <= Self.schema else {
            throw StateFailure(
                .newer,
                "\(path) was written by a later version of Tollkey (format \(found), known here: \(Self.schema)); run that version"
            )
        }
        try database.useLog()
        try database.run(
            """
            PRAGMA synchronous = FULL;
            PRAGMA temp_store = MEMORY;
            PRAGMA cell_size_check = ON;
            PRAGMA wal_autocheckpoint = \(Self.logPages);
            PRAGMA journal_size_limit = \(Self.logPages * 4_096);
            PRAGMA max_page_count = \(Self.bytesMax / 4_096);
            """)
        try database.transaction { () throws(StateFailure) in
            // Two processes may begin it at once; the second finds it done.
            try database.run(
                """
                PRAGMA application_id = \(Self.application);
                PRAGMA user_version = \(Self.schema);
                CREATE TABLE IF NOT EXISTS clock (
                    only INTEGER PRIMARY KEY CHECK (only = 1),
                    boot TEXT NOT NULL,
                    offset INTEGER NOT NULL,
                    last INTEGER NOT NULL,
                    wall INTEGER NOT NULL
                ) STRICT;
                INSERT OR IGNORE INTO clock VALUES (1, '', 0, 0, 0);
                CREATE TABLE IF NOT EXISTS category (
                    provider TEXT NOT NULL,
                    authority TEXT NOT NULL,
                    name TEXT NOT NULL,
                    record BLOB NOT NULL,
                    PRIMARY KEY (provider, authority, name)
                ) STRICT, WITHOUT ROWID;
                """)
        }
        let answer = try database.text("PRAGMA quick_check(1)")
        guard answer == "ok" else { throw database.damaged(answer) }
        readClock = try Statement("SELECT boot, offset, last, wall FROM clock", in: database)
        writeClock = try Statement(
            "UPDATE clock SET boot = ?, offset = ?, last = ?, wall = ?", in: database)
        readRecord = try Statement(
            "SELECT record FROM category WHERE provider = ? AND authority = ? AND name = ?", in: database)
        writeRecord = try Statement(
            """
            INSERT INTO category (provider, authority, name, record) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET record = excluded.record
            """, in: database)
    }

    /// As `Database.transaction`. What is not durable outlives the process, but not a power cut.
    func transaction<Result>(
        isDurable: Bool, _ body: () throws(StateFailure) -> Result
    ) throws(StateFailure) -> Result {
        if isDurable != self.isDurable {
            try database.run("PRAGMA synchronous = \(isDurable ? "FULL" : "NORMAL")")
            self.isDurable = isDurable
        }
        return try database.transaction(body)
    }

    func time() throws(StateFailure) -> LedgerClock {
        var clock: LedgerClock?
        try readClock.run { row throws(StateFailure) in
            clock = LedgerClock(
                bootID: row.text(0), offset: row.number(1), last: row.number(2), wall: row.number(3))
        }
        guard let clock, clock.last >= 0, clock.last < Self.timeMax,
            clock.offset.magnitude < Self.timeMax.magnitude
        else {
            throw database.damaged("its clock makes no sense")
        }
        return clock
    }

    /// Microseconds; far beyond any clock, and little enough to be added up.
    private static let timeMax: Int64 = 1 << 59

    func write(_ clock: LedgerClock) throws(StateFailure) {
        try writeClock.run([
            .text(clock.bootID), .number(clock.offset), .number(clock.last), .number(clock.wall),
        ])
    }

    /// What is recorded, nothing yet for a category that is new; nil when it cannot be read.
    func record(of key: LedgerKey) throws(StateFailure) -> CategoryRecord? {
        var bytes: [UInt8]?
        try readRecord.run(Self.columns(key)) { row throws(StateFailure) in bytes = row.bytes(0) }
        guard let bytes else { return CategoryRecord() }
        return CategoryRecord(decoding: bytes)
    }

    func write(_ record: CategoryRecord, of key: LedgerKey) throws(StateFailure) {
        try writeRecord.run(Self.columns(key) + [.bytes(record.encode())])
    }

    private static func columns(_ key: LedgerKey) -> [Statement.Value] {
        [.text(key.provider), .text(key.authority), .text(key.category)]
    }
}
