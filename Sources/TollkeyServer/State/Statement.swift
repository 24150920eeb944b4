import CSQLite

/// An SQL statement that is prepared once and run often. It keeps its database open.
final class Statement {
    enum Value {
        case number(Int64)
        case text(String)
        case bytes([UInt8])
    }

    private let pointer: OpaquePointer
    private let database: Database

    init(_ sql: String, in database: Database) throws(StateFailure) {
        var prepared: OpaquePointer?
        try database.check(
            sqlite3_prepare_v3(database.pointer, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil))
        guard let prepared else { throw StateFailure(.system, "\(database.path): an empty statement") }
        pointer = prepared
        self.database = database
    }

    deinit { sqlite3_finalize(pointer) }

    /// Runs it to its end with `values` for its parameters; `row` is called with each row.
    func run(
        _ values: [Value] = [], row: (Statement) throws(StateFailure) -> Void = { _ in }
    ) throws(StateFailure) {
        // Ends the reading transaction too, and keeps no content bound.
        defer {
            sqlite3_reset(pointer)
            sqlite3_clear_bindings(pointer)
        }
        for (index, value) in zip(Int32(1)..., values) { try bind(value, index) }
        while try step() { try row(self) }
    }

    private func bind(_ value: Value, _ index: Int32) throws(StateFailure) {
        switch value {
        case .number(let number): try database.check(sqlite3_bind_int64(pointer, index, number))
        case .text(let text):
            try database.check(tollkey_sqlite_bind_text(pointer, index, text, Int32(text.utf8.count)))
        case .bytes(let bytes):
            try database.check(tollkey_sqlite_bind_blob(pointer, index, bytes, Int32(bytes.count)))
        }
    }

    /// Whether there is another row.
    func step() throws(StateFailure) -> Bool {
        let code = sqlite3_step(pointer)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else { throw database.failure(code) }
        return false
    }

    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(pointer, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, column))))
    }
}
