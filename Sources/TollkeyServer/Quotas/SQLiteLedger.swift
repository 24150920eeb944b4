import Glibc
import Synchronization
package import TollkeyCore

/// The ledger of one machine: an SQLite database in the state directory, shared by all processes that have it.
package final class SQLiteLedger: QuotaLedger {
    private let tables: Mutex<LedgerTables>
    private let clock: Clock
    private let bootID: String

    package let terms = LedgerTerms(isShared: false)

    static let fileName = "quota.db"
    /// Limits of no longer windows need not survive a power cut: they are over before the machine is back.
    private static let shortWindow: Duration = .seconds(5)

    /// Opens the ledger in the state directory `path`, or begins one. `bootID` tells which boot the clock belongs to.
    package init(
        directory path: String, clock: Clock, bootID: String? = nil, fileSystem: String? = nil
    ) throws(StateFailure) {
        let directory = try StateDirectory(path)
        try directory.make(Self.fileName, [])
        tables = Mutex(try LedgerTables(directory.file(Self.fileName), fileSystem: fileSystem))
        self.clock = clock
        let id = bootID ?? BootID.read()
        // Where the system does not say, no two processes are of the same boot.
        self.bootID = id.isEmpty ? Hex.text(try Sealer.random(16)) : id
    }

    package func answer(_ contacts: [HeldContact]) throws(LedgerFailure) -> [LedgerReply] {
        do throws(StateFailure) {
            let isShort = contacts.allSatisfy { held in
                held.contact.pause == 0
                    && held.contact.limits.allSatisfy { $0.limit.window <= Self.shortWindow }
            }
            return try tables.withLock { tables throws(StateFailure) in
                try tables.transaction(isDurable: !isShort) { () throws(StateFailure) in
                    var time = try tables.time()
                    let now = time.advance(to: clock.now, bootID: bootID)
                    let replies = try contacts.map { held throws(StateFailure) in
                        try Self.answer(held, tables, at: now)
                    }
                    try tables.write(time)
                    return replies
                }
            }
        } catch { throw LedgerFailure(error.description) }
    }

    private static func answer(
        _ held: HeldContact, _ tables: LedgerTables, at now: Int64
    ) throws(StateFailure) -> LedgerReply {
        guard var record = try tables.record(of: held.contact.key) else { return .damaged }
        let reply = record.answer(held.contact, of: held.holder, at: now)
        try tables.write(record, of: held.contact.key)
        return reply
    }

    package var standing: LedgerStanding { LedgerStanding(.local, since: .past) }

    package func close() {}
}

/// The clock of a ledger: runs with the machine's monotonic clock, and over reboots with the wall clock.
struct LedgerClock: Equatable {
    var bootID: String
    /// What is added to the monotonic clock of that boot. Microseconds, like all here.
    var offset: Int64
    /// The latest moment there was, by this clock and by the wall clock.
    var last: Int64
    var wall: Int64

    /// Now by this clock; never earlier than before.
    mutating func advance(to moment: Moment, bootID: String) -> Int64 {
        let monotonic = moment.monotonic / 1_000
        let (wall, isOver) = moment.wall.multipliedReportingOverflow(by: 1_000)
        if bootID != self.bootID {
            // A wall clock that was set back has not gone on at all, as far as one can tell.
            let gone = isOver ? 0 : max(0, wall.subtractingReportingOverflow(self.wall).partialValue)
            last += min(gone, Self.goneMax)
            offset = last - monotonic
            self.bootID = bootID
        }
        last = max(last, monotonic + offset)
        if !isOver { self.wall = wall }
        return last
    }

    /// Longer than any window, and little enough to be added up.
    private static let goneMax: Int64 = 400 * 86_400 * 1_000_000
}
