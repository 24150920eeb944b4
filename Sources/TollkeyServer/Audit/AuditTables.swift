import TollkeyCore

/// The audit trail's part of the state's database, and the statements on it. Knows nothing of keys.
final class AuditTables {
    let database: Database
    private let readEnds: Statement
    private let writeEnds: Statement
    private let readRow: Statement
    private let readRows: Statement
    private let insertRow: Statement
    private let removeRows: Statement
    private let removeStrangers: Statement
    private let lastRow: Statement

    /// Beside a connection that has looked whether the database is ours.
    init(_ path: String, fileSystem: String?) throws(StateFailure) {
        database = try Database(path, fileSystem: fileSystem)
        try RecordTables.bound(database)
        readEnds = try Statement("SELECT ends FROM trail", in: database)
        writeEnds = try Statement("INSERT OR REPLACE INTO trail VALUES (1, ?)", in: database)
        let columns = "SELECT number, hash, content FROM audit"
        readRow = try Statement("\(columns) WHERE number = ?", in: database)
        readRows = try Statement("\(columns) WHERE number >= ? ORDER BY number LIMIT ?", in: database)
        insertRow = try Statement("INSERT INTO audit VALUES (?, ?, ?)", in: database)
        removeRows = try Statement("DELETE FROM audit WHERE number <= ?", in: database)
        removeStrangers = try Statement("DELETE FROM audit WHERE number > ?", in: database)
        lastRow = try Statement("\(columns) WHERE number <= ? ORDER BY number DESC LIMIT 1", in: database)
    }

    static func make(in database: Database, ends: [UInt8]) throws(StateFailure) {
        try database.run(
            """
            CREATE TABLE audit (
                number INTEGER PRIMARY KEY,
                hash BLOB NOT NULL,
                content BLOB NOT NULL
            ) STRICT;
            CREATE TABLE trail (
                only INTEGER PRIMARY KEY CHECK (only = 1),
                ends BLOB NOT NULL
            ) STRICT;
            """)
        try Statement("INSERT INTO trail VALUES (1, ?)", in: database).run([.bytes(ends)])
    }

    func ends() throws(StateFailure) -> [UInt8]? {
        var ends: [UInt8]?
        try readEnds.run { row throws(StateFailure) in ends = row.bytes(0) }
        return ends
    }

    func write(ends: [UInt8]) throws(StateFailure) { try writeEnds.run([.bytes(ends)]) }

    func row(_ number: Int64) throws(StateFailure) -> AuditRow? {
        try first(readRow, [.number(number)])
    }

    /// The one with the largest number, up to `number`.
    func last(upTo number: Int64) throws(StateFailure) -> AuditRow? {
        try first(lastRow, [.number(number)])
    }

    /// At most `count` from `number` on, in their order.
    func rows(
        from number: Int64, count: Int64, _ body: (AuditRow) throws(StateFailure) -> Void
    ) throws(StateFailure) {
        try readRows.run([.number(number), .number(count)]) { row throws(StateFailure) in
            try body(Self.row(row))
        }
    }

    func first(from number: Int64) throws(StateFailure) -> AuditRow? {
        try first(readRows, [.number(number), .number(1)])
    }

    func insert(_ row: AuditRow) throws(StateFailure) {
        try insertRow.run([.number(row.link.number), .bytes(row.link.hash), .bytes(row.content)])
    }

    func remove(upTo number: Int64) throws(StateFailure) { try removeRows.run([.number(number)]) }

    func remove(behind number: Int64) throws(StateFailure) { try removeStrangers.run([.number(number)]) }

    private func first(
        _ statement: Statement, _ values: [Statement.Value]
    ) throws(StateFailure) -> AuditRow? {
        var found: AuditRow?
        try statement.run(values) { row throws(StateFailure) in found = Self.row(row) }
        return found
    }

    private static func row(_ row: Statement) -> AuditRow {
        AuditRow(link: AuditLink(number: row.number(0), hash: row.bytes(1)), content: row.bytes(2))
    }
}
