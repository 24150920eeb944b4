/// What is kept of a secret that was replaced by a call: a key that the provider shows once.
package struct StoredRotation: Sendable, Equatable {
    package enum Stage: String, Sendable {
        /// The call may have been made, and what it answered is not known.
        case begun
        /// It was answered, and the new secret was not found in `value`, which is all of the answer.
        case unread
        /// `value` is in the place of the configured secret.
        case done
    }

    package var stage: Stage
    /// The secret that holds, or when `unread` the whole answer.
    package var value: Secret
    /// The fingerprint of the configured secret that it stands for, in hexadecimal digits: once another one is
    /// configured, that one holds.
    package var replaces: String
    /// While one is begun: what an earlier rotation has left in the place of another configured secret, which may come
    /// back.
    package var earlier: Replacement?

    /// `value` is in the place of the configured secret whose fingerprint is `replaces`.
    package struct Replacement: Sendable, Equatable {
        package var value: Secret
        package var replaces: String

        package init(value: Secret, replaces: String) {
            self.value = value
            self.replaces = replaces
        }
    }

    package init(stage: Stage, value: Secret, replaces: String, earlier: Replacement? = nil) {
        self.stage = stage
        self.value = value
        self.replaces = replaces
        self.earlier = earlier
    }

    /// What is in the place of the configured secret that has one of these fingerprints; nil when nothing is.
    package func value(for fingerprints: [String]) -> Secret? {
        if fingerprints.contains(replaces) { return stage == .unread ? nil : value }
        return earlier.flatMap { fingerprints.contains($0.replaces) ? $0.value : nil }
    }

    /// What is to be kept beside a rotation of the secret that has one of these fingerprints.
    package func left(besides fingerprints: [String]) -> Replacement? {
        let left = stage == .done ? Replacement(value: value, replaces: replaces) : earlier
        return left.flatMap { fingerprints.contains($0.replaces) ? nil : $0 }
    }

    /// As JSON text; in the clear, so that whoever writes it down encrypts it.
    package func encode() -> Secret {
        var members: [JSONValue.Member] = [
            .init("v", .number("1")), .init("stage", .text(stage.rawValue)),
            .init("value", .text(Self.text(value))), .init("replaces", .text(replaces)),
        ]
        if let earlier {
            members += [
                .init("earlier", .text(Self.text(earlier.value))),
                .init("earlier_replaces", .text(earlier.replaces)),
            ]
        }
        return Secret(JSONValue.object(members).bytes)
    }

    private static func text(_ value: Secret) -> String {
        value.reveal { String(decoding: TextEncoding.base64url.encode($0), as: UTF8.self) }
    }

    /// nil when it is none, or one of another version.
    package init?(decoding record: Secret) {
        guard let json = record.reveal({ try? JSONValue($0) }), json.text(of: "v") == "1",
            let stage = json.text(of: "stage").flatMap(Stage.init(rawValue:)),
            let value = json.secret(of: "value"), let replaces = json.text(of: "replaces")
        else { return nil }
        self.init(stage: stage, value: value, replaces: replaces)
        if let value = json.secret(of: "earlier"), let replaces = json.text(of: "earlier_replaces") {
            earlier = Replacement(value: value, replaces: replaces)
        }
    }
}

extension JSONValue {
    fileprivate func text(of name: String) -> String? { value(at: [.member(name)])?.text }

    fileprivate func secret(of name: String) -> Secret? {
        text(of: name).flatMap { Base64URL.decode(Array($0.utf8)) }.map { Secret($0) }
    }
}
