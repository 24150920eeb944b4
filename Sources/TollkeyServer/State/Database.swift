import CSQLite
import Glibc

/// A connection to an SQLite database, used by one thread at a time.
final class Database {
    let pointer: OpaquePointer
    /// For messages, as the next.
    let path: String
    let content: Content

    /// What is kept in it: how large it may grow, and what to do when it is damaged.
    enum Content {
        /// What nobody else has.
        case state
        /// What was sent in the last windows.
        case counts

        var bytesMax: Int {
            switch self {
            case .state: StateStore.bytesMax
            case .counts: LedgerTables.bytesMax
            }
        }
    }

    /// How long another process's transaction is waited for.
    static let busyMilliseconds: Int32 = 5_000

    /// Opens `path`; makes it when there is none. `fileSystem` is the name of an `sqlite3_vfs`; nil is the system's.
    init(_ path: String, fileSystem: String?, for content: Content = .state) throws(StateFailure) {
        var opened: OpaquePointer?
        // Not serialised by SQLite: whoever owns it does that.
        let flags =
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW
            | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, fileSystem)
        guard code == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw Self.failure(code, path, content)
        }
        pointer = opened
        self.path = path
        self.content = content
        sqlite3_busy_timeout(opened, Self.busyMilliseconds)
        tollkey_sqlite_trust_nothing(opened)
    }

    // Lives on, inside SQLite, until the last statement is gone.
    deinit { sqlite3_close_v2(pointer) }

    /// Goes on with SQLite's write-ahead log. Throws where there can be none, and for a database that cannot be written:
    /// SQLite opens that for reading, and says so only at the first write.
    func useLog() throws(StateFailure) {
        guard try text("PRAGMA journal_mode = WAL") == "wal" else {
            throw StateFailure(
                .directory,
                "\(path): SQLite's write-ahead log does not work there; use a directory on a local disk")
        }
        guard sqlite3_db_readonly(pointer, "main") == 0 else {
            // Of the two numbers for it in the header, one may forbid writing.
            throw access(path, W_OK) == 0
                ? damaged("its header forbids writing") : failure(SQLITE_READONLY)
        }
    }

    /// Runs statements that answer nothing. `waits`: for other processes' transactions.
    func run(_ sql: String, waits: Bool = true) throws(StateFailure) {
        if !waits { sqlite3_busy_timeout(pointer, 0) }
        defer { if !waits { sqlite3_busy_timeout(pointer, Self.busyMilliseconds) } }
        try check(sqlite3_exec(pointer, sql, nil, nil, nil))
    }

    /// The first column of the first row.
    func number(_ sql: String) throws(StateFailure) -> Int64 {
        let statement = try Statement(sql, in: self)
        return try statement.step() ? statement.number(0) : 0
    }

    func text(_ sql: String) throws(StateFailure) -> String {
        let statement = try Statement(sql, in: self)
        return try statement.step() ? statement.text(0) : ""
    }

    /// All that `body` writes or, when it throws, none of it. Durable when this returns.
    ///
    /// When the commit itself fails, which of the two it was shows when the database is next opened.
    func transaction<Result>(_ body: () throws(StateFailure) -> Result) throws(StateFailure) -> Result {
        // At once the one who writes: what is read inside cannot have changed when it is written.
        try run("BEGIN IMMEDIATE")
        do {
            let result = try body()
            try run("COMMIT")
            return result
        } catch {
            // Some failures have ended the transaction already.
            if sqlite3_get_autocommit(pointer) == 0 { try? run("ROLLBACK") }
            throw error
        }
    }

    func check(_ code: Int32) throws(StateFailure) {
        guard code == SQLITE_OK else { throw failure(code) }
    }

    func failure(_ code: Int32) -> StateFailure { Self.failure(code, path, content) }

    func damaged(_ how: String) -> StateFailure { Self.damaged(path, how, content) }

    private static func failure(_ code: Int32, _ path: String, _ content: Content) -> StateFailure {
        let word = sqlite3_errstr(code).map { String(cString: $0) } ?? "no reason given"
        switch code & 0xff {
        case SQLITE_NOTADB:
            let remedy =
                switch content {
                case .state: "restore it from a backup, or name another directory as 'state'"
                case .counts: forgetting
                }
            return StateFailure(
                .foreign,
                "\(path) is not a database of Tollkey's, or its beginning has been overwritten; \(remedy)")
        // Ours are few and fixed: where they do not fit, the tables are not those that we have made.
        case SQLITE_CORRUPT, SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISMATCH:
            return damaged(path, word, content)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return StateFailure(
                .busy,
                "\(path): another process has been writing for more than \(busyMilliseconds / 1_000) s; is it stopped?"
            )
        case SQLITE_FULL:
            return StateFailure(
                .system, "\(path): the disk is full, or it has reached its \(content.bytesMax >> 20) MiB")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH:
            return StateFailure(
                .directory,
                "\(path) cannot be opened or written (\(word)); it must belong to who runs Tollkey")
        default: return StateFailure(.system, "\(path): \(word) (\(code))")
        }
    }

    static func damaged(_ path: String, _ how: String, _ content: Content = .state) -> StateFailure {
        let remedy =
            switch content {
            case .state: "restore it from a backup, or move it and its -wal file away and log in anew"
            case .counts: forgetting
            }
        return StateFailure(.damaged, "\(path) is damaged (\(how)); \(remedy)")
    }

    /// A backup would bring back what counted then.
    private static let forgetting =
        "stop Tollkey and remove it with its -wal and -shm files, which forgets what was sent in the last windows"
}
