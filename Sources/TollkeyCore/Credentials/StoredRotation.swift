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

    package init(stage: Stage, value: Secret, replaces: String) {
        self.stage = stage
        self.value = value
        self.replaces = replaces
    }

    /// As JSON text; in the clear, so that whoever writes it down encrypts it.
    package func encode() -> Secret {
        let value = value.reveal { String(decoding: TextEncoding.base64url.encode($0), as: UTF8.self) }
        return Secret(
            JSONValue.object([
                .init("v", .number("1")), .init("stage", .text(stage.rawValue)),
                .init("value", .text(value)), .init("replaces", .text(replaces)),
            ]).bytes)
    }

    /// nil when it is none, or one of another version.
    package init?(decoding record: Secret) {
        guard let json = record.reveal({ try? JSONValue($0) }), json.text(of: "v") == "1",
            let stage = json.text(of: "stage").flatMap(Stage.init(rawValue:)),
            let value = json.text(of: "value").flatMap({ Base64URL.decode(Array($0.utf8)) }),
            let replaces = json.text(of: "replaces")
        else { return nil }
        self.init(stage: stage, value: Secret(value), replaces: replaces)
    }
}

extension JSONValue {
    fileprivate func text(of name: String) -> String? { value(at: [.member(name)])?.text }
}
