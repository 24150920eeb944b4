import ArgumentParser
import CLinux
import Glibc
import TollkeyCore
import TollkeyServer

/// The one provider that a command is about.
struct ProviderArgument: ParsableArguments {
    @OptionGroup var file: ConfigurationFile

    @Argument(help: "As the configuration names it.")
    var provider: String

    /// The provider, with the state open.
    func desk() throws -> Operator {
        let settings = try file.settings()
        let found = try Self.find(provider, in: settings)
        return try Operating.attempt { () throws(OperatorFailure) in
            try Operator(found, in: settings) { StandardError.write("\($0)\n") }
        }
    }

    static func find(_ name: String, in settings: Settings) throws -> ProviderSettings {
        if let found = settings.providers.first(where: { $0.name == name }) { return found }
        let names = settings.providers.map(\.name).joined(separator: ", ")
        StandardError.write("The configuration has no provider '\(name)'; there is \(names).\n")
        throw ExitCode(ConfigurationFile.problemStatus)
    }
}

/// What all commands do that act on providers.
enum Operating {
    /// Before the first secret is read.
    static func begin() {
        keepMemoryPrivate()
        signal(SIGPIPE, SIG_IGN)
    }

    /// Secrets in memory are nobody else's: no core dump, no other process's eyes, nothing of it in a crash's report.
    static func keepMemoryPrivate() {
        tollkey_forbid_dumps()
        tollkey_end_at_crash()
    }

    /// What `body` makes; a failure is told, and the command ends.
    static func attempt<Result>(_ body: () throws(OperatorFailure) -> Result) throws -> Result {
        do throws(OperatorFailure) { return try body() } catch {
            StandardError.write("\(error.description)\n")
            throw ExitCode.failure
        }
    }

    /// Tells what was done; the command ends when not all was.
    static func tell(_ report: OperatorReport) throws {
        for line in report.lines {
            if line.isTrouble { StandardError.write("\(line.text)\n") } else { print(line.text) }
        }
        if !report.isGood { throw ExitCode.failure }
    }
}
