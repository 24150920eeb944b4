/// Where a secret is kept: what `${env:NAME}`, `${file:PATH}` and `${credential:NAME}` mean.
package enum SecretReference: Sendable, Hashable {
    case environment(String)
    /// An absolute path, or one relative to the process when the reader was given no directory.
    case file(String)
    /// A name in the directory that systemd hands over in `CREDENTIALS_DIRECTORY`.
    case credential(String)
}

/// Why a secret could not be had, in words that continue `the secret "NAME": …`. Never the secret itself.
package struct SecretFailure: Error, Sendable, Equatable {
    package var message: String
    package init(_ message: String) { self.message = message }
}

extension SecretReference {
    /// The forms that may be written, for messages.
    static let forms = "${env:NAME}, ${file:PATH} or ${credential:NAME}"

    private static let kinds = ["env", "file", "credential"]

    /// Parses a whole `${kind:name}`; nil when `text` does not look like a reference at all.
    static func parse(_ text: String) throws(Misfit) -> SecretReference? {
        guard text.utf8.starts(with: "${".utf8) else {
            guard text.contains("${") else { return nil }
            throw Misfit("mixes text and a reference; make it \(forms) alone and put text into \"inject\"")
        }
        guard text.utf8.last == UInt8(ascii: "}"), let colon = text.firstIndex(of: ":") else {
            throw Misfit("is no complete reference; write \(forms)")
        }
        let kind = String(text[text.index(text.startIndex, offsetBy: 2)..<colon])
        let name = String(text[text.index(after: colon)...].dropLast())
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw Misfit("is a reference without a name; write \(forms)")
        }
        switch kind {
        case "env":
            guard !name.utf8.contains(UInt8(ascii: "=")) else {
                throw Misfit("names an environment variable with \"=\" in it, which cannot exist")
            }
            return .environment(name)
        case "file":
            return .file(name)
        case "credential":
            // A path would leave systemd's directory.
            guard !name.utf8.contains(UInt8(ascii: "/")), name != ".", name != ".." else {
                throw Misfit("names a credential with a path; give its name alone")
            }
            return .credential(name)
        case let other:
            let hint = NearMiss.hint(for: other, among: kinds)
            throw Misfit("is a reference of an unknown kind\(hint); write \(forms)")
        }
    }
}
