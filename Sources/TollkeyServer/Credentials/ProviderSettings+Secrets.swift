import TollkeyCore

extension ProviderSettings {
    /// The configured secrets, with those that stand in files as the files have them now.
    func readSecrets() throws(SmallFile.Unreadable) -> [String: Secret] {
        var secrets = secrets
        for (name, path) in secretFiles {
            do throws(SmallFile.Unreadable) {
                let secret = try SmallFile.secret(at: path)
                // A file that is being written is empty for a moment.
                if let fault = secret.fault(isKey: keySecrets.contains(name)) {
                    throw SmallFile.Unreadable(message: "the secret '\(name)' \(fault)")
                }
                secrets[name] = secret
            } catch { throw SmallFile.Unreadable(message: "\(path): \(error.message)") }
        }
        return secrets
    }
}
