import ArgumentParser
import Glibc
import TollkeyCore
import TollkeyServer

struct Login: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log in at a provider through a browser.",
        discussion: """
            Shows the address of the provider's login, waits on loopback for the browser to come back, and keeps the \
            tokens; a running daemon uses and renews them. With --paste on a machine without a browser: open the address \
            elsewhere, and bring the one that the browser shows in the end.
            """)

    @OptionGroup var choice: ProviderArgument

    @Option(help: "The credential, where several need a login.")
    var credential: String?

    @Flag(help: "Do not wait for the browser; read the address it was sent back to from standard input.")
    var paste = false

    @Flag(name: .customLong("no-browser"), help: "Only show the address; open no browser.")
    var noBrowser = false

    @Option(help: "Wait at this port of loopback. (default: a free one)")
    var port: Int?

    private static let pastesMax = 3

    func validate() throws {
        if let port, !(1...65_535).contains(port) { throw ValidationError("--port is from 1 to 65535") }
    }

    func run() throws {
        Operating.begin()
        let desk = try choice.desk()
        let (flow, code) = try Operating.attempt { () throws(OperatorFailure) in
            let configured = try desk.login(named: credential).1.redirectURI
            return paste ? try pasted(desk, configured) : try caught(desk, configured)
        }
        try Operating.tell(Operating.attempt { () throws(OperatorFailure) in try flow.finish(code) })
    }

    private func caught(_ desk: Operator, _ configured: String?) throws(OperatorFailure) -> (
        LoginFlow, Secret
    ) {
        let listener = try RedirectListener(configured, port: port)
        let flow = try LoginFlow(desk, credential: credential, redirectURI: listener.uri)
        show(flow, "The browser comes back to this machine; waiting for it.")
        if !noBrowser { Self.openBrowser(flow.url) }
        return (flow, try listener.wait { flow.verdict(on: $0) })
    }

    private func pasted(_ desk: Operator, _ configured: String?) throws(OperatorFailure) -> (
        LoginFlow, Secret
    ) {
        let uri = LoginFlow.pastedURI(configured, port: port)
        let flow = try LoginFlow(desk, credential: credential, redirectURI: uri)
        show(
            flow,
            "In the end the browser shows an address that begins with \(uri), perhaps with an error. Copy all of it."
        )
        for tries in 1... {
            Terminal.ask("The address: ")
            guard let line = Terminal.line() else { throw OperatorFailure("No address was given.") }
            do throws(OperatorFailure) {
                return (flow, try flow.code(pasted: String(decoding: line, as: UTF8.self)))
            } catch {
                guard tries < Self.pastesMax, Terminal.isOne(0) else { throw error }
                StandardError.write("\(error.description)\n")
            }
        }
        throw OperatorFailure("No address was given.")
    }

    private func show(_ flow: LoginFlow, _ next: String) {
        StandardError.write("Log in here:\n\n    \(flow.url)\n\n\(next)\n")
    }

    /// Where there is a display; whether that worked is the browser's to show.
    private static func openBrowser(_ url: String) {
        guard getenv("DISPLAY") != nil || getenv("WAYLAND_DISPLAY") != nil else { return }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        let words: [String] = ["xdg-open", url]
        var arguments = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var variables = browserEnvironment().map { strdup($0) }
        variables.append(nil)
        defer { for variable in variables { free(variable) } }
        var process = pid_t()
        posix_spawnp(&process, "xdg-open", &actions, nil, arguments, variables)
    }

    /// What desktops and browsers need of our environment. The rest stays here: secrets may be in it, and a browser
    /// lives on for days.
    private static func browserEnvironment() -> [String] {
        var kept: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            let name = text.prefix { $0 != "=" }
            if browserVariables.contains(String(name)) || name.hasPrefix("XDG_") || name.hasPrefix("LC_") {
                kept.append(text)
            }
            next += 1
        }
        return kept
    }

    private static let browserVariables: Set<String> = [
        "BROWSER", "DBUS_SESSION_BUS_ADDRESS", "DESKTOP_SESSION", "DISPLAY", "GNOME_DESKTOP_SESSION_ID",
        "HOME", "KDE_FULL_SESSION", "KDE_SESSION_VERSION", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL",
        "TMPDIR", "TZ", "USER", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP", "XAUTHORITY",
    ]
}
