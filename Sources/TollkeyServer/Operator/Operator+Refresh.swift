import TollkeyCore

extension Operator {
    /// Renews the credential of that name, or all that are obtained, now.
    package func refresh(_ name: String? = nil) throws(OperatorFailure) -> OperatorReport {
        var report = OperatorReport()
        guard !provider.credentials.isEmpty else {
            report.say(
                "\(self.name) has nothing to refresh: its secrets are given, not obtained. One that stands in a file"
                    + " is read again by the daemon when the file changes.")
            return report
        }
        for credential in try credentials(named: name) {
            let outcome = try renewal(of: credential).perform(known: nil, isForced: true)
            note(outcome, credential)
            tell(outcome, credential, &report)
        }
        if let words = ring() { report.complain(words) }
        return report
    }

    private func credentials(named wanted: String?) throws(OperatorFailure) -> [CredentialSettings] {
        guard let wanted else { return provider.credentials }
        let found = provider.credentials.filter { $0.name == wanted }
        guard found.isEmpty else { return found }
        let names = provider.credentials.map(\.name).joined(separator: ", ")
        throw OperatorFailure("\(name) has no credential '\(wanted)'; there is \(names).")
    }

    func tell(
        _ outcome: Renewal.Outcome, _ credential: CredentialSettings, _ report: inout OperatorReport
    ) {
        switch outcome {
        case .obtained(let kept, let how, let notes):
            if kept.isSaved {
                report.say("\(name): '\(credential.name)' was obtained \(how.words), good \(span(of: kept)).")
            } else {
                report.complain(
                    "\(name): '\(credential.name)' was obtained \(how.words), and is lost, because the state cannot be"
                        + " written.")
            }
            for note in notes { report.say("Note: \(note).") }
        case .adopted(let kept):
            report.say(
                "\(name): '\(credential.name)' was obtained by another process, good \(span(of: kept)).")
        case .failed(let fault):
            report.complain("\(name): '\(credential.name)' was not obtained: \(fault.words).")
        }
    }

    private func span(of kept: KeptCredential) -> String {
        kept.stored.expiry(at: clock.now, bootID: bootID).inWords(at: clock.now)
    }
}

extension Renewal.How {
    fileprivate var words: String {
        switch self {
        case .obtain: "by logging in"
        case .refresh: "with the refresh token"
        case .login: "by a person's login"
        }
    }
}
