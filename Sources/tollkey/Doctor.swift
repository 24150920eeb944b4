import ArgumentParser
import Glibc
import TollkeyCore
import TollkeyServer

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try what calls of a provider need, and say what is wrong.",
        discussion: """
            Name resolution, TLS, clock, secrets, credentials, Redis where it is shared, and the provider's own \
            probe. Obtains nothing unless --renew is given. Exit status 0 without a problem, 1 with one, 78 for a \
            problem in the configuration.
            """)

    @OptionGroup var file: ConfigurationFile

    @Argument(help: "Only this provider, as the configuration names it.")
    var provider: String?

    @Flag(help: "Renew obtained credentials, for real.")
    var renew = false

    func run() throws {
        Operating.begin()
        let settings = try file.settings()
        let providers =
            try provider.map { [try ProviderArgument.find($0, in: settings)] } ?? settings.providers
        var hasProblem = false
        for (index, provider) in providers.enumerated() {
            var checkup = Checkup(provider, in: settings, renews: renew)
            let findings = checkup.perform()
            if index > 0 { print("") }
            print(provider.name)
            let width = findings.map(\.subject.count).max() ?? 0
            for finding in findings {
                let gap = String(repeating: " ", count: width - finding.subject.count)
                print("  \(Self.text(of: finding.mark))  \(finding.subject)\(gap)  \(finding.words)")
            }
            hasProblem = hasProblem || findings.contains { $0.mark == .problem }
        }
        if hasProblem { throw ExitCode.failure }
    }

    /// Of one width; in colour for people.
    private static func text(of mark: Finding.Mark) -> String {
        let gap = String(repeating: " ", count: 7 - mark.rawValue.count)
        guard Terminal.isOne(1), getenv("NO_COLOR") == nil else { return mark.rawValue + gap }
        let colour =
            switch mark {
            case .ok: 32
            case .note: 33
            case .problem: 31
            }
        return "\u{1b}[\(colour)m\(mark.rawValue)\u{1b}[0m\(gap)"
    }
}
