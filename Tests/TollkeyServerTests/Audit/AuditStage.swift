import Synchronization
import TollkeyCore
import TollkeyServer

/// A state with a trail that is written at once, as a command does.
final class AuditStage: Sendable {
    let folder: StateFolder
    let clock = ManualClock()
    private let said = Mutex<[String]>([])

    init() throws {
        folder = try StateFolder()
        _ = try folder.open()
    }

    var complaints: [String] { said.withLock { $0 } }

    /// As another process has it.
    func trail(
        _ keys: [Secret] = [StateFolder.someKey], fileSystem: String? = nil, keep: Duration = .seconds(3_600)
    ) throws -> AuditTrail {
        var settings = AuditSettings()
        settings.keep = keep
        let store = try folder.open(keys, fileSystem: fileSystem)
        return try AuditTrail(in: store, settings, clock: clock.clock) { [self] words in
            said.withLock { $0.append(words) }
        }
    }

    /// With entries `0`, `1`, … a second apart.
    func filled(_ count: Int = 10) throws -> AuditTrail {
        let trail = try trail()
        write(0..<count, trail)
        return trail
    }

    func write(_ numbers: Range<Int>, _ trail: AuditTrail) {
        for number in numbers {
            trail.record(AuditEvent(.obtain, provider: "acme", credential: "a", words: "\(number)"))
            clock.advance(by: .seconds(1))
        }
    }

    func tamper(_ sql: String) throws { try RawDatabase.run(sql, in: folder.database) }
}

extension AuditReport {
    /// What the entries say, the oldest first.
    var words: [String] { lines.map { $0.entry?.event.words ?? "?" } }
}
