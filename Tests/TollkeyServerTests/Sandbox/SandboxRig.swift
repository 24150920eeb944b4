import Synchronization
import Testing
import TollkeySandbox

/// The wall clock of a sandbox, which stands until a test moves it.
final class SandboxClock: Sendable {
    static let start: Int64 = 1_700_000_000
    private let time = Mutex(SandboxClock.start)

    func now() -> Int64 { time.withLock { $0 } }

    func advance(seconds: Int64) { time.withLock { $0 += seconds } }
}

/// A sandbox on such a clock, called without a proxy in between.
struct SandboxRig {
    let sandbox: Sandbox
    let clock: SandboxClock
    let credentials = SandboxCredentials()

    var kinds: [Violation.Kind] { sandbox.violations.map(\.kind) }

    /// - Parameters:
    ///   - path: behind the provider's base path
    ///   - fields: header lines, each with its CR LF
    func call(
        _ provider: Provider, _ method: String, _ path: String, _ fields: String = "", content: String = ""
    ) async throws -> SandboxReply {
        try await SandboxReply.to(
            method, provider.basePath + path, port: sandbox.port(of: provider), trusting: sandbox.authority,
            fields, content: content)
    }

    func post(
        _ provider: Provider, _ path: String, json: String, _ fields: String = ""
    ) async throws -> SandboxReply {
        try await call(provider, "POST", path, "Content-Type: application/json\r\n" + fields, content: json)
    }

    func post(
        _ provider: Provider, _ path: String, form: String, _ fields: String = ""
    ) async throws -> SandboxReply {
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        return try await call(provider, "POST", path, type + fields, content: form)
    }

    /// JPay's tokens.
    func logInToJPay() async throws -> SandboxReply {
        let login = #"{"app_key":"\#(credentials.jpayAppKey)","app_secret":"\#(credentials.jpayAppSecret)"}"#
        return try await post(.jpay, "/auth/app/token", json: login)
    }

    /// TezPay's token.
    func logInToTezPay() async throws -> SandboxReply {
        let (id, secret) = (credentials.tezpayClientID, credentials.tezpayClientSecret)
        let login = #"{"client_id":"\#(id)","client_secret":"\#(secret)"}"#
        return try await post(.tezpay, "/api/v1/tezpay/authenticate", json: login)
    }
}

func withRig(
    _ options: Options = Options(), _ body: (SandboxRig) async throws -> Void
) async throws {
    let clock = SandboxClock()
    var options = options
    options.now = clock.now
    let sandbox = try await Sandbox.start(options)
    do { try await body(SandboxRig(sandbox: sandbox, clock: clock)) } catch {
        try await sandbox.shutdown()
        throw error
    }
    try await sandbox.shutdown()
}

func bearer(_ token: String) -> String { "Authorization: Bearer \(token)\r\n" }
