/// A credential that is obtained and dies: how it is had, read, and renewed.
package struct CredentialSettings: Sendable, Equatable {
    /// `${name}` is its token.
    package var name: String
    /// The call that needs nobody.
    package var obtain: CallSettings?
    /// The call that spends the input `refresh_token`.
    package var refresh: CallSettings?
    /// The call that needs a person.
    package var login: LoginSettings?
    package var read: ReadSettings
    /// For answers to `refresh`; the same as `read` unless said.
    package var readRefreshed: ReadSettings
    /// The token's life when no answer says it, and its end when one says more.
    package var lifetime: Duration?
    /// The refresh token's life when no answer says it, and its end when one says more.
    package var refreshLifetime: Duration?
    /// How long before its end a token is renewed; never more than half of its life.
    package var renewBefore: Duration?

    package init(name: String, read: ReadSettings) {
        self.name = name
        self.read = read
        self.readRefreshed = read
    }

    /// Assumed where nothing says how long a token lives: it is never for ever.
    package static let lifetimeAssumed: Duration = .seconds(300)
}

/// OAuth's authorization code grant (RFC 6749 §4.1), and what resembles it.
package struct LoginSettings: Sendable, Equatable {
    /// Opened in a person's browser. Inputs: `redirect_uri`, `state`, and with PKCE `code_challenge`.
    package var authorize: CallSettings.Place
    package var query: [NamedTemplate] = []
    /// Inputs: `code`, `redirect_uri`, and with PKCE `code_verifier`.
    package var exchange: CallSettings
    /// RFC 7636, S256.
    package var usesPKCE = false
    /// Registered with the provider; nil is a free port on loopback.
    package var redirectURI: String?

    package init(authorize: CallSettings.Place, exchange: CallSettings) {
        self.authorize = authorize
        self.exchange = exchange
    }
}

/// A call that tells whether a credential works.
package struct ProbeSettings: Sendable, Equatable {
    package var call: CallSettings
    /// What a 2xx answer must say besides; else the credential is refused.
    package var expect: [Expectation] = []
    package init(call: CallSettings) { self.call = call }
}

/// How an answer says that the credential was refused.
package struct RefusalRule: Sendable, Equatable {
    package var status: Int
    /// What it must say besides: any of these.
    package var expect: [Expectation] = []
    package init(status: Int, expect: [Expectation] = []) {
        self.status = status
        self.expect = expect
    }
}

/// A call that gives the place of a secret to another value, which it answers (once).
package struct RotationSettings: Sendable, Equatable {
    /// The key in `secrets`.
    package var secret: String
    package var call: CallSettings
    package var read: AnswerPlace
    package init(secret: String, call: CallSettings, read: AnswerPlace) {
        self.secret = secret
        self.call = call
        self.read = read
    }
}

/// One-time passwords: a person's yes to one operation, for some minutes.
package struct OTPSettings: Sendable, Equatable {
    /// Inputs: `operation`, and those that the user gives. Answers the input `otp_id`.
    package var request: CallSettings
    package var readID: AnswerPlace
    /// How long a code may be typed.
    package var codeLifetime: Duration
    /// Inputs: `otp_id`, `code`.
    package var verify: CallSettings
    package var read: ReadSettings
    /// The verification token's life, at most.
    package var lifetime: Duration
    /// Set on the calls below; `.input("verification_token")` is the token.
    package var inject: [InjectedHeader]
    package var calls: [OTPCall] = []

    package init(
        request: CallSettings, readID: AnswerPlace, codeLifetime: Duration, verify: CallSettings,
        read: ReadSettings, lifetime: Duration, inject: [InjectedHeader]
    ) {
        self.request = request
        self.readID = readID
        self.codeLifetime = codeLifetime
        self.verify = verify
        self.read = read
        self.lifetime = lifetime
        self.inject = inject
    }

    /// Verification tokens and open codes held for one provider, each.
    package static let heldMax = 256
}

/// Calls that need a verification token.
package struct OTPCall: Sendable, Equatable {
    package var pattern: CallPattern
    /// The operation that the token must be for.
    package var operation: String
    /// The input of `request`, and the field of this call's JSON content, that say what exactly it is about.
    package var subject: Subject?
    /// Whether the call is refused here while no token is held. Otherwise it goes on without one.
    package var isRequired = true

    package struct Subject: Sendable, Equatable {
        package var input: String
        package var field: [AnswerPlace.Step]
        package init(input: String, field: [AnswerPlace.Step]) {
            self.input = input
            self.field = field
        }
    }

    package init(pattern: CallPattern, operation: String) {
        self.pattern = pattern
        self.operation = operation
    }
}

/// A permission by the provider's name for it, and the calls that it opens.
package struct ScopeSettings: Sendable, Equatable {
    package var name: String
    package var calls: [CallPattern]
    package init(name: String, calls: [CallPattern]) {
        self.name = name
        self.calls = calls
    }
}

extension CredentialSettings {
    /// The secrets that it is obtained with, also those in computed `values`.
    package func secretNames(_ values: [ValueSettings]) -> Set<String> {
        let calls = [obtain, refresh, login?.exchange].compactMap { $0 }
        var templates = calls.flatMap(\.templates)
        templates += login?.query.map(\.value) ?? []
        templates += ValuePlan(values).values(usedBy: templates).flatMap(\.kind.templates)
        var names: Set<String> = []
        for case .secret(let name) in templates.joined() { names.insert(name) }
        return names
    }
}

extension CallSettings {
    /// All that is filled in.
    package var templates: [Template] {
        let path =
            switch place {
            case .upstream(let path), .elsewhere(_, let path): path
            }
        let content: [Template] =
            switch content {
            case .none: []
            case .form(let fields): fields.map(\.value)
            case .json(let json): json.templates
            }
        return [path] + query.map(\.value) + headers.map(\.value) + content
            + (basic.map { [$0.user, $0.password] } ?? [])
    }
}

extension JSONTemplate {
    package var templates: [Template] {
        switch self {
        case .object(let members): members.flatMap(\.value.templates)
        case .array(let elements): elements.flatMap(\.templates)
        case .text(let template): [template]
        case .literal: []
        }
    }
}
