/// Something that was done, or was to be done, with a credential or with the proxy itself; for the audit trail.
///
/// Names and sentences, never a secret. What is too long is cut, and control characters become `?`: an entry is shown
/// on terminals, also one that somebody has altered.
package struct AuditEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A token was obtained by a call that needs nobody.
        case obtain
        /// A token was obtained with a refresh token.
        case renew
        /// A token was taken over from another process, or another replica.
        case adopt
        /// The provider refused a credential that a call carried.
        case refuse
        /// Secrets that stand outside have changed.
        case secrets
        case rotate
        /// A key that a rotation has made was shown.
        case show
        case login
        case otp
        case start, reload, stop
        /// What an operator changed while the proxy ran, besides the above.
        case action
        /// Entries that are not here: the trail could not be written, or not so fast.
        case lost
        /// The trail was found to have been changed by somebody else.
        case altered
    }

    package enum Outcome: String, Sendable, CaseIterable {
        case done, failed, refused
        /// It was begun; how it ended, stands in a later entry.
        case begun
        /// It was begun, and nobody knows how it ended.
        case unknown
    }

    package let kind: Kind
    package let outcome: Outcome
    /// Empty where it is about none.
    package let provider: String
    package let credential: String
    package let actor: AuditActor
    package let words: String

    package static let wordsBytesMax = 500
    package static let nameBytesMax = 255

    package init(
        _ kind: Kind, _ outcome: Outcome = .done, provider: String = "", credential: String = "",
        by actor: AuditActor = .daemon, words: String = ""
    ) {
        self.kind = kind
        self.outcome = outcome
        self.provider = AuditText.bounded(provider, Self.nameBytesMax)
        self.credential = AuditText.bounded(credential, Self.nameBytesMax)
        self.actor = actor
        self.words = AuditText.bounded(words, Self.wordsBytesMax)
    }
}

/// Who did it.
package struct AuditActor: Sendable, Equatable {
    package let text: String

    package static let bytesMax = 160

    /// As it was written down.
    package init(text: String) { self.text = AuditText.bounded(text, Self.bytesMax) }

    /// The proxy, by itself.
    package static let daemon = AuditActor(text: "daemon")
    /// Whoever may send signals to it: its user, root, the service manager.
    package static let signal = AuditActor(text: "signal")

    /// A user of the machine, by what the system says of a process or a unix socket's other end. `login`: who had
    /// logged in, where that is somebody else.
    package static func user(_ id: UInt32, name: String?, login: (id: UInt32, name: String?)? = nil)
        -> AuditActor
    {
        let user = words(id, name)
        guard let login, login.id != id else { return AuditActor(text: user) }
        return AuditActor(text: "\(user), logged in as \(words(login.id, login.name))")
    }

    /// Who sent the admin token of that name.
    package static func token(_ name: String) -> AuditActor { AuditActor(text: "token \(name)") }

    private static func words(_ id: UInt32, _ name: String?) -> String {
        name.map { "uid \(id) (\($0))" } ?? "uid \(id)"
    }
}

/// Text that is short, and harmless on a terminal.
enum AuditText {
    static func bounded(_ text: String, _ bytesMax: Int) -> String {
        var bounded = ""
        var room = bytesMax
        for scalar in text.unicodeScalars {
            let shown = isHarmless(scalar) ? scalar : "?"
            room -= UTF8.width(shown)
            if room < 0 {
                // The mark of a cut takes three bytes.
                while bounded.utf8.count > bytesMax - 3 { bounded.unicodeScalars.removeLast() }
                return bounded + "…"
            }
            bounded.unicodeScalars.append(scalar == "\n" || scalar == "\t" ? " " : shown)
        }
        return bounded
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Format characters turn the direction of what follows, or hide it.
        case .control: scalar == "\n" || scalar == "\t"
        case .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
