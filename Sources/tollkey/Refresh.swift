import ArgumentParser
import TollkeyServer

struct Refresh: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Renew a provider's obtained credentials now.",
        discussion: """
            Works beside a running daemon, which uses the new ones at once, and without one. Exit status 0 when all were \
            renewed, 1 when not, 78 for a problem in the configuration.
            """)

    @OptionGroup var choice: ProviderArgument

    @Option(help: "Only the credential of this name.")
    var credential: String?

    func run() throws {
        Operating.begin()
        let desk = try choice.desk()
        try Operating.tell(
            Operating.attempt { () throws(OperatorFailure) in try desk.refresh(credential) })
    }
}
