import ArgumentParser
import TollkeyServer

struct OTP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "otp",
        abstract: "Ask a provider for a one-time password, and hold what typing it gives.",
        discussion: """
            The verification token is kept for the calls that need one; a running daemon adds it to them. The code is \
            read from the terminal, without showing it, or from standard input.
            """)

    @OptionGroup var choice: ProviderArgument

    @Option(help: "What the yes is for, where several operations are configured.")
    var operation: String?

    @Option(
        name: .customLong("with"),
        help: ArgumentHelp(
            "What the call for a code says besides, such as escrow_id=e1. May be repeated.",
            valueName: "name=value"))
    var given: [String] = []

    func run() throws {
        Operating.begin()
        var inputs: [String: String] = [:]
        for text in given {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, inputs.updateValue(String(parts[1]), forKey: String(parts[0])) == nil
            else {
                throw ValidationError("--with takes NAME=VALUE, each name once; '\(parts[0])' is not so")
            }
        }
        let desk = try choice.desk()
        let flow = try Operating.attempt { () throws(OperatorFailure) in
            try OTPFlow(desk, operation: operation, with: inputs)
        }
        let report = try Operating.attempt { () throws(OperatorFailure) in
            try flow.run { left in
                if left < OTPFlow.triesMax { StandardError.write("The code was refused. Once more.\n") }
                Terminal.ask("The code for \(flow.operation): ")
                return Terminal.hiddenLine(bytesMax: OTPFlow.codeBytesMax)
            }
        }
        try Operating.tell(report)
    }
}
