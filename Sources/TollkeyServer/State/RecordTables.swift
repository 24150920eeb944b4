/// The database of a state: its tables, what they are for, and the statements on them. Knows nothing of keys.
final class RecordTables {
    /// What is said once for the whole state.
    struct Header: Equatable {
        /// The largest version that was ever given to a record.
        var lastVersion: Int64
        /// The fingerprint key, sealed: opens with the state's key only.
        var keyCheck: [UInt8]
    }
    struct Row {
        let place: RecordPlace
        let version: Int64
        let sealed: [UInt8]
    }

    let database: Database
    /// Which version's tables they are.
    let format: Int64
    private let readHeader: Statement
    private let writeHeader: Statement
    private let readRow: Statement
    private let readRows: Statement
    private let writeRow: Statement
    private let removeRow: Statement

    /// "Toll", which file(1) and other programs can tell a file of ours by.
    private static let application: Int64 = 0x546f_6c6c
    /// Raised when a version of Tollkey changes the tables; those before it then refuse to open them.
    static let schema: Int64 = 2
    /// Without an audit trail.
    static let schemaMin: Int64 = 1
    /// Versions that are shared are times in milliseconds, others less; and there is always a next one.
    private static let versionMax: Int64 = 1 << 60

    /// The statements on the tables of `database`.
    private init(_ database: Database, format: Int64) throws(StateFailure) {
        self.database = database
        self.format = format
        readHeader = try Statement("SELECT last_version, key_check FROM state", in: database)
        writeHeader = try Statement("UPDATE state SET last_version = ?, key_check = ?", in: database)
        let columns = "SELECT kind, provider, name, version, sealed FROM record"
        readRow = try Statement("\(columns) WHERE kind = ? AND provider = ? AND name = ?", in: database)
        readRows = try Statement("\(columns) WHERE kind = ? OR ?", in: database)
        writeRow = try Statement(
            """
            INSERT INTO record (kind, provider, name, version, sealed) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET version = excluded.version, sealed = excluded.sealed
            """, in: database)
        removeRow = try Statement(
            "DELETE FROM record WHERE kind = ? AND provider = ? AND name = ?", in: database)
    }

    /// Makes the tables in an empty database, and closes it.
    static func make(
        _ path: String, fileSystem: String?, keyCheck: [UInt8], trailEnds: [UInt8]
    ) throws(StateFailure) {
        let database = try Database(path, fileSystem: fileSystem)
        try database.transaction { () throws(StateFailure) in
            try database.run(
                """
                PRAGMA application_id = \(application);
                PRAGMA user_version = \(schema);
                CREATE TABLE state (
                    only INTEGER PRIMARY KEY CHECK (only = 1),
                    last_version INTEGER NOT NULL,
                    key_check BLOB NOT NULL
                ) STRICT;
                CREATE TABLE record (
                    kind TEXT NOT NULL,
                    provider TEXT NOT NULL,
                    name TEXT NOT NULL,
                    version INTEGER NOT NULL,
                    sealed BLOB NOT NULL,
                    PRIMARY KEY (kind, provider, name)
                ) STRICT, WITHOUT ROWID;
                """)
            try Statement("INSERT INTO state VALUES (1, 0, ?)", in: database).run([.bytes(keyCheck)])
            try AuditTables.make(in: database, ends: trailEnds)
        }
    }

    /// Begins what the version before had not.
    func upgrade(_ header: Header, trailEnds: [UInt8]) throws(StateFailure) {
        try database.transaction { () throws(StateFailure) in
            try AuditTables.make(in: database, ends: trailEnds)
            try write(header)
            try database.run("PRAGMA user_version = \(Self.schema)")
        }
    }

    /// Opens a database that is there: only one of ours, whole, and of a version that is known here.
    static func open(_ path: String, fileSystem: String?) throws(StateFailure) -> RecordTables {
        let database = try Database(path, fileSystem: fileSystem)
        guard try database.number("PRAGMA application_id") == application else {
            throw StateFailure(
                .foreign, "\(path) is another program's database; name another directory as 'state'")
        }
        let found = try database.number("PRAGMA user_version")
        guard found <= schema else {
            throw StateFailure(
                .newer,
                "\(path) was written by a later version of Tollkey (format \(found), known here: \(schema)); run that version, or restore a backup from before it"
            )
        }
        guard found >= schemaMin else { throw Database.damaged(path, "it says format \(found)") }
        let answer = try database.text("PRAGMA quick_check(1)")
        guard answer == "ok" else { throw Database.damaged(path, answer) }
        try database.useLog()
        try bound(database)
        return try RecordTables(database, format: found)
    }

    /// What holds for one connection.
    static func bound(_ database: Database) throws(StateFailure) {
        try database.run(
            """
            PRAGMA synchronous = FULL;
            PRAGMA secure_delete = ON;
            PRAGMA temp_store = MEMORY;
            PRAGMA cell_size_check = ON;
            PRAGMA wal_autocheckpoint = \(logPages);
            PRAGMA journal_size_limit = \(logPages * 4_096);
            PRAGMA max_page_count = \(StateStore.bytesMax / 4_096);
            """)
    }

    /// The log is taken over into the database when it has so many pages.
    private static let logPages = 64

    func header() throws(StateFailure) -> Header {
        var header: Header?
        try readHeader.run { row throws(StateFailure) in
            header = Header(lastVersion: row.number(0), keyCheck: row.bytes(1))
        }
        guard let header else { throw Database.damaged(database.path, "it has no header") }
        guard (0..<Self.versionMax).contains(header.lastVersion) else {
            throw Database.damaged(database.path, "no version is so large as it says")
        }
        return header
    }

    func write(_ header: Header) throws(StateFailure) {
        try writeHeader.run([.number(header.lastVersion), .bytes(header.keyCheck)])
    }

    func row(at place: RecordPlace) throws(StateFailure) -> Row? {
        var found: Row?
        try readRow.run(place.parts.map { .text($0) }) { row throws(StateFailure) in found = Self.row(row) }
        return found
    }

    /// All of a kind; of every kind when it is nil.
    func rows(kind: String?) throws(StateFailure) -> [Row] {
        var found: [Row] = []
        try readRows.run([.text(kind ?? ""), .number(kind == nil ? 1 : 0)]) { row throws(StateFailure) in
            found.append(Self.row(row))
        }
        return found
    }

    func write(_ row: Row) throws(StateFailure) {
        try writeRow.run(row.place.parts.map { .text($0) } + [.number(row.version), .bytes(row.sealed)])
    }

    func remove(_ place: RecordPlace) throws(StateFailure) {
        try removeRow.run(place.parts.map { .text($0) })
    }

    /// Takes the log over into the database and empties it, as far as nobody is reading.
    func emptyLog(waits: Bool = true) throws(StateFailure) {
        try database.run("PRAGMA wal_checkpoint(TRUNCATE)", waits: waits)
    }

    private static func row(_ row: Statement) -> Row {
        Row(
            place: RecordPlace(kind: row.text(0), provider: row.text(1), name: row.text(2)),
            version: row.number(3), sealed: row.bytes(4))
    }
}
