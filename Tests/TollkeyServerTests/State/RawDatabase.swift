import CSQLite

/// The database behind the store's back.
enum RawDatabase {
    struct Failure: Error { let text: String }

    private static let busyMilliseconds: Int32 = 10_000

    static func run(_ sql: String, in path: String, fileSystem: String? = nil) throws {
        try with(path, fileSystem) { database in
            guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw failure(database) }
        }
    }

    /// The first column of each row.
    static func blobs(_ sql: String, in path: String) throws -> [[UInt8]] {
        try with(path, nil) { database in
            var statement: OpaquePointer?
            defer { sqlite3_finalize(statement) }
            guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else {
                throw failure(database)
            }
            var found: [[UInt8]] = []
            while sqlite3_step(statement) == SQLITE_ROW {
                let count = Int(sqlite3_column_bytes(statement, 0))
                found.append(
                    Array(UnsafeRawBufferPointer(start: sqlite3_column_blob(statement, 0), count: count)))
            }
            return found
        }
    }

    private static func with<Result>(
        _ path: String, _ fileSystem: String?, _ body: (OpaquePointer?) throws -> Result
    ) throws -> Result {
        var database: OpaquePointer?
        defer { sqlite3_close_v2(database) }
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        guard sqlite3_open_v2(path, &database, flags, fileSystem) == SQLITE_OK else {
            throw failure(database)
        }
        // The store may be in the middle of a transaction of its own.
        sqlite3_busy_timeout(database, busyMilliseconds)
        return try body(database)
    }

    private static func failure(_ database: OpaquePointer?) -> Failure {
        Failure(text: String(cString: sqlite3_errmsg(database)))
    }
}
