import Glibc
import TollkeyCore

/// Opening a state: who may, whether it is one, with which key, and beginning one where there is none.
///
/// One process at a time does this in a directory. Before a problem is told nothing has been changed.
struct StateOpening {
    let directory: StateDirectory
    /// Empty when the key is a file in the directory.
    let keys: [Secret]
    let fileSystem: String?

    static let databaseName = "tollkey.db"
    /// A database on its way to be one; found only after a crash, and worth nothing then.
    static let unfinishedName = "tollkey.db.unfinished"
    /// How long another process may take for this.
    static let timeout = Duration.seconds(10)

    struct Opened {
        let tables: RecordTables
        let keyring: Keyring
        let isFresh: Bool
    }

    func perform() throws(StateFailure) -> Opened {
        let turn = try waitForTurn()
        defer { turn.release() }
        let isFresh = try isNothingThere()
        if isFresh { try begin() }
        let tables = try RecordTables.open(directory.file(Self.databaseName), fileSystem: fileSystem)
        let header = try tables.header()
        let sealers = try keysToTry().map { key throws(StateFailure) in try Sealer(stateKey: key) }
        for (index, sealer) in sealers.enumerated() {
            guard var keyring = Keyring(sealer, check: header.keyCheck, format: tables.format) else {
                continue
            }
            if tables.format < RecordTables.schema {
                keyring = try keyring.changed(to: sealer)
                let upgraded = RecordTables.Header(
                    lastVersion: header.lastVersion, keyCheck: keyring.check)
                try tables.upgrade(upgraded, trailEnds: keyring.beginningOfTrail())
            }
            if index > 0 { keyring = try sealAnew(tables, keyring, with: sealers[0]) }
            return Opened(tables: tables, keyring: keyring, isFresh: isFresh)
        }
        throw wrongKey
    }

    private func waitForTurn() throws(StateFailure) -> StateLock {
        let end = MonotonicTime.system() + TimeSpan(Self.timeout)
        while true {
            if let turn = try StateLock.attempt("opening", in: directory) { return turn }
            guard MonotonicTime.system() < end else {
                throw StateFailure(
                    .busy,
                    "another process has been opening the state in \(directory.path) for more than \(Self.timeout); is it stopped?"
                )
            }
            poll(nil, 0, 10)
        }
    }

    /// Whether a state is to be begun; a database that is in no state to be opened is a failure.
    private func isNothingThere() throws(StateFailure) -> Bool {
        let path = directory.file(Self.databaseName)
        guard let status = try directory.status(Self.databaseName) else {
            // It would be taken for the log of the new one.
            guard try directory.status("\(Self.databaseName)-wal") == nil else {
                throw Database.damaged(path, "it is missing, and its log is there")
            }
            return true
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StateFailure(.foreign, "\(path) is no regular file; name another directory as 'state'")
        }
        guard directory.isTrusted(status), status.st_mode & 0o022 == 0 else {
            throw StateFailure(
                .directory, "others can write to \(path); chown it to who runs Tollkey, and chmod 600 it")
        }
        // It appears with its tables in it: one without anything has lost them, and SQLite would take it for fresh.
        guard status.st_size > 0 else { throw Database.damaged(path, "it is empty") }
        if status.st_mode & 0o077 != 0 { chmod(path, 0o600) }
        return false
    }

    /// The key is there before the database that needs it, and the database appears as a whole.
    private func begin() throws(StateFailure) {
        let key = keys.isEmpty ? try StateKey.make(in: directory) : keys[0]
        let keyring = try Keyring.make(try Sealer(stateKey: key))
        for name in [Self.unfinishedName, "\(Self.unfinishedName)-journal"] { try directory.remove(name) }
        try directory.make(Self.unfinishedName, [])
        try RecordTables.make(
            directory.file(Self.unfinishedName), fileSystem: fileSystem, keyCheck: keyring.check,
            trailEnds: keyring.beginningOfTrail())
        try directory.rename(Self.unfinishedName, to: Self.databaseName)
    }

    private func keysToTry() throws(StateFailure) -> [Secret] {
        keys.isEmpty ? [try StateKey.read(in: directory)] : keys
    }

    /// All records and the key check, in one transaction; what the old key opens is then nowhere in the files.
    private func sealAnew(
        _ tables: RecordTables, _ old: Keyring, with sealer: Sealer
    ) throws(StateFailure) -> Keyring {
        let keyring = try old.changed(to: sealer)
        try tables.database.transaction { () throws(StateFailure) in
            for row in try tables.rows(kind: nil) {
                let content = try old.open(row, directory.path)
                let sealed = try keyring.seal(content, at: row.place, version: row.version)
                try tables.write(RecordTables.Row(place: row.place, version: row.version, sealed: sealed))
            }
            try tables.write(
                RecordTables.Header(lastVersion: tables.header().lastVersion, keyCheck: keyring.check))
        }
        try tables.emptyLog()
        return keyring
    }

    private var wrongKey: StateFailure {
        let state = "the state in \(directory.path) is sealed with"
        if keys.isEmpty {
            return StateFailure(
                .wrongKey,
                "\(state) another key than the file 'key' beside it; put that back from the same backup, or name the key as 'state_key'"
            )
        }
        let exists = (try? directory.status(StateKey.name)) != nil
        let hint = exists ? "; was it the file \(directory.file(StateKey.name))? Name it as a second key" : ""
        return StateFailure(
            .wrongKey,
            "\(state) none of the keys given; add the one before to 'state_key', behind the present one\(hint)"
        )
    }
}
