/// Why a record is not taken for a stored credential.
package enum StoredCredentialFault: Error, Sendable, Equatable {
    case malformed
    /// Written by a version of this program that this one does not know.
    case unknownVersion

    package var words: String {
        switch self {
        case .malformed: "is no stored credential"
        case .unknownVersion: "was written by another version of tollkey"
        }
    }
}

extension StoredCredential {
    private static let version = "1"

    /// As JSON text; in the clear, so that whoever writes it down encrypts it.
    package func encode() -> Secret {
        var members: [JSONValue.Member] = [
            .init("v", .number(Self.version)), .init("token", Self.write(token)),
            .init("expires", Self.write(expires)), .init("boot", .text(bootID)),
            .init("obtained", .number(String(obtainedAt))), .init("generation", .number(String(generation))),
            .init("fingerprint", .text(fingerprint)), .init("spending", .flag(isSpending)),
        ]
        if !spender.isEmpty { members.append(.init("spender", .text(spender))) }
        if let refreshToken { members.append(.init("refresh", Self.write(refreshToken))) }
        if let refreshExpires { members.append(.init("refresh_expires", Self.write(refreshExpires))) }
        if !values.isEmpty {
            let sorted = values.sorted { $0.key < $1.key }
            members.append(.init("values", .object(sorted.map { .init($0.key, Self.write($0.value)) })))
        }
        return Secret(JSONValue.object(members).bytes)
    }

    package init(decoding record: Secret) throws(StoredCredentialFault) {
        guard let json = record.reveal({ try? JSONValue($0) }), case .number(let version)? = json["v"] else {
            throw .malformed
        }
        guard version == Self.version else { throw .unknownVersion }
        guard let token = json["token"].flatMap(Self.readSecret),
            let expires = json["expires"].flatMap(Self.readDeadline), case .text(let bootID)? = json["boot"],
            let obtainedAt = json["obtained"].flatMap(Self.readNumber),
            let generation = json["generation"].flatMap(Self.readNumber).flatMap(Int.init(exactly:)),
            case .text(let fingerprint)? = json["fingerprint"], case .flag(let isSpending)? = json["spending"]
        else { throw .malformed }
        self.init(
            token: token, expires: expires, bootID: bootID, obtainedAt: obtainedAt, generation: generation,
            fingerprint: fingerprint)
        self.isSpending = isSpending
        spender = try Self.read(json["spender"], \.text) ?? ""
        refreshToken = try Self.read(json["refresh"], Self.readSecret)
        refreshExpires = try Self.read(json["refresh_expires"], Self.readDeadline)
        values = try Self.read(json["values"], Self.readSecrets) ?? [:]
    }

    /// Nil for what is not there; what is there must be right.
    private static func read<Value>(
        _ value: JSONValue?, _ read: (JSONValue) -> Value?
    ) throws(StoredCredentialFault) -> Value? {
        guard let value else { return nil }
        guard let read = read(value) else { throw .malformed }
        return read
    }

    /// As text or, where the bytes are none, as base64url in an array.
    private static func write(_ secret: Secret) -> JSONValue {
        secret.reveal { bytes in
            String(validating: bytes, as: UTF8.self).map { .text($0) }
                ?? .array([.text(Base64URL.encode(bytes))])
        }
    }

    private static func readSecret(_ value: JSONValue) -> Secret? {
        switch value {
        case .text(let text): Secret(text)
        case .array:
            value.value(at: [.element(0)])?.text.flatMap { Base64URL.decode($0.utf8) }.map { Secret($0) }
        case .object, .number, .flag, .null: nil
        }
    }

    private static func readSecrets(_ value: JSONValue) -> [String: Secret]? {
        guard case .object(let members) = value else { return nil }
        var secrets: [String: Secret] = [:]
        for member in members {
            guard let secret = readSecret(member.value) else { return nil }
            secrets[member.name] = secret
        }
        return secrets
    }

    private static func write(_ deadline: Deadline) -> JSONValue {
        .array([.number(String(deadline.wall)), .number(String(deadline.monotonic))])
    }

    private static func readDeadline(_ value: JSONValue) -> Deadline? {
        guard let wall = value.value(at: [.element(0)]).flatMap(readNumber),
            let monotonic = value.value(at: [.element(1)]).flatMap(readNumber)
        else { return nil }
        return Deadline(wall: wall, monotonic: monotonic)
    }

    private static func readNumber(_ value: JSONValue) -> Int64? {
        guard case .number(let number) = value else { return nil }
        return Int64(number)
    }
}
