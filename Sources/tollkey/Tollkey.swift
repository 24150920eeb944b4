import ArgumentParser
import TollkeyServer

@main
struct Tollkey: ParsableCommand {
    static let version = TollkeyServer.Version.text

    static let configuration = CommandConfiguration(
        commandName: "tollkey",
        abstract: "A local proxy that adds credentials to calls of payment systems.",
        discussion: """
            Applications call http://127.0.0.1:8080/PROVIDER/… and hold no secret; Tollkey finds the provider, adds \
            its credentials and forwards over TLS.
            """,
        version: version,
        subcommands: [
            Run.self, Status.self, Check.self, Explain.self, Doctor.self, Login.self, OTP.self, Refresh.self,
            Rotate.self,
            Audit.self, Providers.self, Version.self,
        ])
}

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the version.")

    func run() { print("tollkey \(Tollkey.version)") }
}
