import ArgumentParser
import Glibc
import TollkeyCore
import TollkeyServer

struct Rotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have a provider make a new key in the place of the present one.",
        discussion: """
            The new key is kept, encrypted, in the state before anything else happens to it, and a running daemon uses \
            it at once. Then put it where the configuration takes the key from: --show prints it.
            """)

    @OptionGroup var choice: ProviderArgument

    @Flag(help: "Print the key that the last rotation has made, and rotate nothing.")
    var show = false

    @Flag(help: "Do not ask whether it is meant.")
    var yes = false

    func run() throws {
        Operating.begin()
        let desk = try choice.desk()
        let flow = try Operating.attempt { () throws(OperatorFailure) in try RotationFlow(desk) }
        if show { return try show(flow) }
        guard yes || (isatty(STDIN_FILENO) == 1 && Terminal.agrees(to: flow.warning)) else {
            StandardError.write(
                "Nothing was changed. Where there is no terminal, --yes says that it is meant.\n")
            throw ExitCode.failure
        }
        // Ctrl-C between the call and the disk, or the terminal, would lose the key.
        let shelter = SignalShelter()
        defer { shelter.end() }
        let outcome = try Operating.attempt { () throws(OperatorFailure) in try flow.perform() }
        // Before anything can end the command: what the state could not keep is nowhere else.
        defer {
            if let unsaved = outcome.unsaved {
                StandardError.write(
                    "What follows is all there is of it. Put the new one where the configuration takes it from, now.\n"
                )
                Self.print(unsaved.secret)
            }
        }
        try Operating.tell(outcome.report)
    }

    private func show(_ flow: RotationFlow) throws {
        switch try Operating.attempt({ () throws(OperatorFailure) in try flow.kept() }) {
        case .nothing:
            StandardError.write("No rotation has left anything here.\n")
            throw ExitCode.failure
        case .secret(let secret, let holds):
            if !holds { StandardError.write("The configuration has got another one since, which holds.\n") }
            Self.print(secret)
        case .answer(let answer):
            StandardError.write("The last rotation's answer, in which the new key was not found:\n")
            Self.print(answer)
            throw ExitCode.failure
        }
    }

    private static func print(_ secret: Secret) {
        Swift.print(secret.reveal { String(decoding: $0, as: UTF8.self) })
    }
}
