import Synchronization
import TollkeyCore

/// Where the token refresher publishes one provider's credentials for all event loops, and where these tell it what
/// they have met. Stays with a provider through reloads that change nothing about it.
final class CredentialBoard: Sendable {
    /// What an event loop has met.
    enum News: Sendable, Equatable {
        /// The credential of this generation has died.
        case expired(generation: Int)
        /// The provider has refused it (401).
        case refused(generation: Int)
        /// A one-time password was right.
        case verified
    }

    let provider: ProviderSettings
    let verification: VerificationDesk?
    /// nil when there are no limits.
    let quotas: ProviderQuotas?
    private let publication: Mutex<CredentialPublication>
    /// For operators.
    private let reports = Mutex<[CredentialReport]>([])
    private let tell: @Sendable (String, News) -> Void

    /// What can be published without asking anybody is, as generation `generation`. `tell` hands news on and returns
    /// at once.
    init(
        _ provider: ProviderSettings, generation: Int, quotas: ProviderQuotas? = nil,
        verifications: [VerificationLedger.Token] = [],
        tell: @escaping @Sendable (_ provider: String, News) -> Void
    ) {
        self.provider = provider
        self.tell = tell
        self.quotas = quotas
        verification = provider.otp.map { VerificationDesk($0, tokens: verifications) }
        publication = Mutex(CredentialPublication.first(provider, generation: generation))
    }

    var current: CredentialPublication { publication.withLock { $0 } }

    func publish(_ publication: CredentialPublication) { self.publication.withLock { $0 = publication } }

    var credentialReports: [CredentialReport] { reports.withLock { $0 } }

    func publish(_ reports: [CredentialReport]) { self.reports.withLock { $0 = reports } }

    func tell(_ news: News) { tell(provider.name, news) }
}

extension CredentialPublication {
    /// Before the token refresher has looked.
    fileprivate static func first(_ provider: ProviderSettings, generation: Int) -> CredentialPublication {
        let nothing = CredentialSnapshot(generation: generation, headers: [], secrets: [:])
        // A secret that is rotated may have been, and one that is obtained must be.
        guard provider.credentials.isEmpty, provider.rotation == nil else {
            return CredentialPublication(snapshot: nothing, standing: .coming)
        }
        do throws(RenderingError) {
            let snapshot = try CredentialSnapshot(
                generation: generation, provider: provider, secrets: provider.secrets,
                cryptography: SystemCryptography())
            return CredentialPublication(snapshot: snapshot, standing: .usable)
        } catch {
            return CredentialPublication(snapshot: nothing, standing: .missing(.unrenderable(error)))
        }
    }
}

extension Failure {
    static func unrenderable(_ error: RenderingError) -> Failure {
        Failure(.credentialUnavailable, "The provider's headers cannot be made: \(error.words).")
    }
}
