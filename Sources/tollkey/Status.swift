import ArgumentParser
import Glibc
import TollkeyConfig
import TollkeyCore
import TollkeyServer

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show how the running daemon stands.",
        discussion: """
            Asks the admin listener that the configuration names. Shows credentials with their time to expiry, limits \
            with what is left, providers and recent problems; no secret. Exit status 0 when the daemon is ready, 1 when \
            it is not, 2 when nobody answers, 78 for a problem in the configuration.
            """)

    @OptionGroup var file: ConfigurationFile

    @Flag(help: "Print JSON, as /status answers it.")
    var json = false

    @Flag(help: "Show it anew every two seconds.")
    var watch = false

    @Flag(help: "Print nothing but why it is not ready: for probes.")
    var ready = false

    @Flag(help: "Print nothing but whether it is alive: for probes.")
    var live = false

    @Option(
        help: "Ask there, without reading a configuration: 127.0.0.1:9180 or unix:/run/tollkey/admin.sock.")
    var admin: String?

    private static let nobody = ExitCode(2)

    func validate() throws {
        if [json, watch, ready, live].count(where: { $0 }) > 1, !(json && watch) {
            throw ValidationError("only --json and --watch go together")
        }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let client = AdminClient(address: try address())
        if live || ready { return try probe(client) }
        guard watch else {
            if try !show(ask(client, "/status")) { throw ExitCode.failure }
            return
        }
        while true {
            // A restart does not end the watching.
            if let answer = try? ask(client, "/status") { _ = try show(answer) }
            fflush(nil)
            usleep(2_000_000)
        }
    }

    /// False when the daemon says that it is not ready.
    private func show(_ answer: [UInt8]) throws -> Bool {
        let status = StatusView(answer)
        if json {
            print(String(decoding: answer, as: UTF8.self), terminator: "")
            return status?.isReady != false
        }
        guard let status else {
            StandardError.write("The answer is no status.\n")
            throw Self.nobody
        }
        let text = status.text(Ink(isOn: Terminal.isColoured))
        print(watch && Terminal.isOne(1) ? Terminal.screen(text) : text, terminator: "")
        return status.isReady
    }

    private func address() throws -> ListenAddress {
        if let admin {
            guard let address = try? ListenAddress(parsing: admin) else {
                throw ValidationError("--admin is HOST:PORT or unix:/PATH")
            }
            return address
        }
        let listeners: [ListenAddress]
        switch file.adminListeners() {
        case .success(let found): listeners = found
        case .failure(let unreadable):
            StandardError.write("\(unreadable)\n")
            throw ExitCode(ConfigurationFile.problemStatus)
        }
        guard let address = listeners.first else {
            StandardError.write(
                "The configuration has no \"admin\"; add it, as in admin: 127.0.0.1:9180, and restart the daemon.\n"
            )
            throw ExitCode(ConfigurationFile.problemStatus)
        }
        return address
    }

    private func ask(_ client: AdminClient, _ path: String) throws -> [UInt8] {
        do throws(AdminClient.Fault) {
            let answer = try client.get(path)
            guard answer.status == 200 else {
                throw AdminClient.Fault(words: "\(client.address.text) answers \(answer.status)")
            }
            return answer.content
        } catch {
            StandardError.write("\(error.words)\n")
            throw Self.nobody
        }
    }

    private func probe(_ client: AdminClient) throws {
        do throws(AdminClient.Fault) {
            let answer = try client.get(live ? "/live" : "/ready")
            print(String(decoding: answer.content, as: UTF8.self), terminator: "")
            if answer.status != 200 { throw AdminClient.Fault(words: "") }
        } catch {
            if error.words.isEmpty { throw ExitCode.failure }
            StandardError.write("\(error.words)\n")
            throw Self.nobody
        }
    }
}

/// Colours for a terminal; nothing in a pipe.
struct Ink {
    let isOn: Bool

    enum Tone: String {
        case plain = ""
        case good = "32"
        case bad = "1;31"
        case odd = "33"
        case faint = "2"
    }

    func paint(_ text: String, _ tone: Tone) -> String {
        isOn && tone != .plain ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text
    }
}
