import ArgumentParser
import Glibc
import TollkeyConfig
import TollkeyCore
import TollkeyServer

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show who obtained, renewed, rotated or was refused what, and when.",
        discussion: """
            Reads the audit trail in the state directory, beside a running daemon or without one, and looks each time \
            whether all of it is as it was written. Exit status 0 when it is, 1 when it was altered or cannot be read, 78 \
            for a problem in the configuration.
            """)

    @OptionGroup var file: ConfigurationFile

    @Option(help: "Only entries about this provider.")
    var provider: String?

    @Option(help: ArgumentHelp("Only entries of this last time: 90m, 24h, 7d.", valueName: "span"))
    var since: String?

    @Option(help: "At most so many entries, the newest.")
    var limit = 100

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Only say whether the trail is intact.")
    var verify = false

    @Option(
        help: ArgumentHelp(
            "An entry that was noted earlier, as --verify shows the last one: it must still be there.",
            valueName: "number:digits"))
    var expect: String?

    static let limitMax = 100_000

    func validate() throws {
        guard (1...Self.limitMax).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(Self.limitMax)")
        }
        guard since == nil || span != nil else {
            throw ValidationError("--since takes a span such as 90m, 24h or 7d")
        }
        guard expect == nil || known != nil else {
            throw ValidationError("--expect takes what --verify has shown, such as 1504:9f3a6c1d20b7e845")
        }
    }

    func run() throws {
        Operating.begin()
        let settings = try file.stateSettings()
        let report = try Self.attempt { () throws(StateFailure) in try read(settings) }
        guard let report else {
            StandardError.write("There is no audit trail: no state in \(settings.state ?? "").\n")
            throw ExitCode.failure
        }
        if verify {
            if report.isIntact { print(Self.summary(report)) }
        } else if json {
            for line in report.lines { print(AuditTable.json(line)) }
        } else {
            for line in AuditTable.lines(report.lines, Ink(isOn: Terminal.isColoured)) { print(line) }
        }
        if report.lines.isEmpty, !verify { StandardError.write("No entries.\n") }
        for found in report.breaks {
            StandardError.write("altered from entry \(found.number) on: \(found.words)\n")
        }
        let more = report.breakCount - report.breaks.count
        if more > 0 { StandardError.write("and \(more) more\n") }
        if !report.isIntact { throw ExitCode.failure }
    }

    /// nil when there is no state: looking begins none.
    private func read(_ settings: Settings) throws(StateFailure) -> AuditReport? {
        let directory = settings.state ?? Server.defaultState
        guard StateStore.isThere(directory) else { return nil }
        let store = try StateStore(directory: directory, keys: settings.stateKeys)
        let trail = try AuditTrail(in: store, settings.audit) { StandardError.write("\($0)\n") }
        let least = span.map { Clock.system.wall() - $0.milliseconds }
        return try trail.report(limit: verify ? 0 : limit, known: known) { [provider] entry in
            // What cannot be read may be about anything.
            guard let entry else { return true }
            return entry.time >= least ?? .min && (provider == nil || entry.event.provider == provider)
        }
    }

    private static func attempt<Result>(
        _ body: () throws(StateFailure) -> Result
    ) throws -> Result {
        do throws(StateFailure) { return try body() } catch {
            StandardError.write("The audit trail cannot be read: \(error.description)\n")
            throw ExitCode.failure
        }
    }

    static func summary(_ report: AuditReport) -> String {
        guard let since = report.since else { return "intact: no entries" }
        let count = report.count == 1 ? "1 entry" : "\(report.count) entries"
        var words = "intact: \(count) since \(TimeFormat.rfc3339.text(since))"
        if let removed = report.removed {
            words += "; \(removed.link.number) before them were removed in time"
        }
        return "\(words)\nthe last is \(report.last.words)"
    }

    private var known: (number: Int64, digits: String)? { expect.flatMap(AuditLink.parse) }

    /// Days too, which the configuration does not need.
    private var span: Duration? {
        guard let since else { return nil }
        if since.hasSuffix("d") {
            return Int(since.dropLast()).flatMap { (0...36_500).contains($0) ? .seconds($0 * 86_400) : nil }
        }
        return try? Quantity.duration(since)
    }
}
