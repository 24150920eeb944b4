import Synchronization
import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension CredentialStage {
    /// Commands on the first provider.
    func desk(_ settings: Settings) throws -> Operator {
        try Operator(try #require(settings.providers.first), in: settings, clock: clock.clock)
    }

    /// What `tollkey doctor` finds about the first provider.
    func findings(_ settings: Settings, renews: Bool = false) throws -> [Finding] {
        var checkup = Checkup(
            try #require(settings.providers.first), in: settings, renews: renews, clock: clock.clock)
        return checkup.perform()
    }

    var piaxis: Settings {
        get throws {
            try settings(
                .piaxis, "secrets: { api_key: \"${env:K}\" }",
                secrets: ["K": SandboxCredentials().piaxisAPIKey])
        }
    }

    /// Needs a person to log in.
    var piaxisOAuth: Settings {
        get throws {
            try settings(
                .piaxis,
                """
                variant: oauth
                scopes: ["payments:read", "escrow:manage"]
                secrets: { client_id: "${env:I}" }
                """, secrets: ["I": SandboxCredentials().piaxisClientID])
        }
    }

    func tuku(key: String = SandboxCredentials().tukuAPIKey, _ lines: String = "") throws -> Settings {
        try settings(
            .tuku, "secrets: { api_key: \"${env:K}\", app_id: \"${env:A}\" }\n\(lines)",
            secrets: ["K": key, "A": SandboxCredentials().tukuAppID])
    }

    /// Exchanges the state's key, as nobody does while a command runs: it can write nothing from then on.
    func exchangeStateKey() throws {
        let key = try SmallFile.secret(at: "\(state)/key")
        _ = try StateStore(directory: state, keys: [Secret("another key, which is long enough"), key])
    }
}

/// What a command said when it did not work; nil when it did.
func complaint(_ body: () throws -> Void) throws -> String? {
    do {
        try body()
        return nil
    } catch let failure as OperatorFailure { return failure.description }
}

/// Asks until the answer has the status: a daemon notices by itself what a command has left.
func comes(_ status: Int, _ ask: () throws -> Message) throws -> Bool {
    for _ in 0..<5_000 where try ask().status == status { return true }
    return false
}

extension OperatorReport {
    var text: String { lines.map(\.text).joined(separator: "\n") }
}

/// Something that a test arms for later.
final class Armed: Sendable {
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    func arm(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }

    /// Once.
    func fire() {
        let armed = action.withLock { action in
            defer { action = nil }
            return action
        }
        armed?()
    }
}
