import ArgumentParser
import Synchronization
import TollkeySandbox

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The sandbox, the proxy in front of it, one call per provider, and then a proxy to play with.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start the proxy in front of the providers, show one call to each, and stay up.",
        discussion: "Ctrl-C ends the proxy and the providers.")

    @Option(help: ArgumentHelp("The tollkey program.", valueName: "file"))
    var proxy: String

    @Option(help: "Where ca.pem, proxy.yaml and secrets.env are written.")
    var directory = "./sandbox"

    @Option(help: ArgumentHelp("Where the proxy listens.", valueName: "address:port"))
    var listen = LoopbackAddress.usual

    /// For a person, on standard error; the exit status is 1.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What ends a demo.
    private enum Outcome {
        case asked
        case proxyEnded(ProxyProcess.Ending)
        case failed(any Error)
    }

    func validate() throws {
        guard access(proxy, X_OK) == 0 else { throw ValidationError("--proxy: cannot run \(proxy)") }
    }

    func run() async throws {
        let signals = Signals()
        // Whoever reads our lines may go; the proxy must be stopped all the same.
        _ = signal(SIGPIPE, SIG_IGN)
        try await requireFree(listen)
        let isTelling = Toggle()
        var options = Options()
        options.observe = { exchange in
            if isTelling.isOn { Console.write(Page.line(for: exchange)) }
        }
        let sandbox = try await Sandbox.start(options)
        let outcome: Outcome
        do {
            var admin = listen.forOperators
            if let address = admin, case .free = await address.isFree() {} else { admin = nil }
            let files = DemoFiles(
                directory: directory, listen: listen, admin: admin, credentials: options.credentials)
            try files.write(for: sandbox)
            let child = try ProxyProcess.start(
                proxy, arguments: ["run", "--config", files.configuration], environment: files.environment)
            outcome = await conduct(child, sandbox, files, isTelling, until: signals)
        } catch { outcome = .failed(error) }
        try await sandbox.shutdown()
        switch outcome {
        case .asked: Console.write("stopped")
        case .proxyEnded(let ending):
            throw Failure(description: "the proxy has ended by itself, with \(ending)")
        case .failed(let error): throw error
        }
    }

    /// Shows everything and waits for the end; afterwards the proxy does not run any more.
    private func conduct(
        _ child: ProxyProcess, _ sandbox: Sandbox, _ files: DemoFiles, _ isTelling: Toggle,
        until signals: Signals
    ) async -> Outcome {
        await withTaskGroup(of: Outcome?.self) { group in
            group.addTask {
                await signals.wait()
                return .asked
            }
            group.addTask { await child.ending().map { .proxyEnded($0) } }
            group.addTask {
                do {
                    try await show(child, sandbox, files)
                    isTelling.turnOn()
                    return nil
                } catch is CancellationError { return nil } catch { return .failed(error) }
            }
            var outcome = Outcome.asked
            for await end in group {
                guard let end else { continue }
                outcome = end
                break
            }
            group.cancelAll()
            // Before the group waits for the others: a call that is under way ends with the proxy.
            await child.stop()
            return outcome
        }
    }

    private func show(_ child: ProxyProcess, _ sandbox: Sandbox, _ files: DemoFiles) async throws {
        let page = Page(ink: Ink.forStandardOutput())
        try await Show(listen: listen, sandbox: sandbox, page: page).perform(child)
        page.showWhatToTry(listen: listen, proxy: proxy, files: files, controlPort: sandbox.controlPort)
    }

    private func requireFree(_ address: LoopbackAddress) async throws {
        switch await address.isFree() {
        case .free: return
        case .taken:
            throw Failure(
                description: """
                    \(address) is taken by another process. Choose another: --listen 127.0.0.1:8081, \
                    or make run LISTEN=127.0.0.1:8081
                    """)
        case .unusable(let reason): throw Failure(description: "cannot listen on \(address): \(reason)")
        }
    }
}

/// Turned on once, read from any thread.
final class Toggle: Sendable {
    private let state = Atomic(false)
    var isOn: Bool { state.load(ordering: .relaxed) }
    func turnOn() { state.store(true, ordering: .relaxed) }
}
