import ArgumentParser

@main
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tollkey-sandbox",
        abstract: "Plays the five providers on loopback, over TLS, with faults on request.",
        discussion: "Without a subcommand it serves: 'tollkey-sandbox help serve' has the options.",
        subcommands: [Serve.self, Demo.self],
        defaultSubcommand: Serve.self)
}
