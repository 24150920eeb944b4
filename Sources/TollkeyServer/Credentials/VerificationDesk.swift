import Synchronization
import TollkeyCore

/// One provider's one-time passwords, for all event loops: what a person has said yes to, and how that is seen in the
/// calls that go by.
final class VerificationDesk: Sendable {
    let settings: OTPSettings
    let capture: OTPCapture
    private let ledger: Mutex<VerificationLedger>

    init(_ settings: OTPSettings, tokens: [VerificationLedger.Token]) {
        self.settings = settings
        capture = OTPCapture(settings)
        ledger = Mutex(VerificationLedger(settings, tokens: tokens))
    }

    /// What one forwarded call has to do with it.
    enum Role {
        /// It asks for a code, or checks one.
        case step(OTPCapture.Step)
        /// It needs a verification token.
        case needs(OTPCall)

        var needsContent: Bool {
            switch self {
            case .step: true
            case .needs(let call): call.needsContent
            }
        }
    }

    /// `path` is what lies behind the route.
    func role(method: Span<UInt8>, path: Span<UInt8>) -> Role? {
        if let step = capture.step(method: method, path: path) { return .step(step) }
        return capture.call(method: method, path: path).map { .needs($0) }
    }

    var tokens: [VerificationLedger.Token] { ledger.withLock { $0.tokens } }

    func token(for call: OTPCall, content: Secret, at now: Moment) -> Secret? {
        let subject = call.subject(in: content)
        return ledger.withLock { $0.token(for: call.operation, subject: subject, at: now) }
    }

    /// False when it changes nothing.
    func apply(_ update: OTPCapture.Update, at now: Moment) -> Bool {
        ledger.withLock { $0.apply(update, at: now) }
    }

    func drop(_ token: Secret) { ledger.withLock { $0.drop(token) } }

    /// Takes over those of another process.
    func add(_ tokens: [VerificationLedger.Token]) {
        ledger.withLock { ledger in
            let others = ledger.tokens.filter { held in !tokens.contains { $0.token == held.token } }
            ledger = VerificationLedger(settings, codes: ledger.codes, tokens: others + tokens)
        }
    }
}
