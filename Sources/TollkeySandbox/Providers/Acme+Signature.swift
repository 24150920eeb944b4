/// Acme's signed calls: HMAC-SHA-256 in hexadecimal digits, with the client secret as its key, over five lines
/// joined by line feeds: method, target, time, nonce, SHA-256 of the content in hexadecimal digits.
extension Acme {
    static let nonceHeader = "X-Acme-Nonce"
    private static let keyHeader = "X-Acme-Key"
    private static let timeHeader = "X-Acme-Timestamp"
    private static let signatureHeader = "X-Acme-Signature"
    static let signatureHeaders = [keyHeader, timeHeader, nonceHeader, signatureHeader]
    /// How far its time may be from ours, in either direction.
    private static let offsetSecondsMax: Int64 = 60

    func refusal(ofSignatureIn call: Call, now: Int64) -> Answer? {
        guard call.header(Self.keyHeader) == credentials.acmeClientID,
            let nonce = call.header(Self.nonceHeader),
            let time = call.header(Self.timeHeader), let seconds = Int64(time)
        else { return words(for: .unauthorized, now: now) }
        guard abs(now - seconds) <= Self.offsetSecondsMax else { return Self.error(401, "STALE_TIMESTAMP") }
        guard call.body.count == call.bodyBytes else { return Self.error(413, "CONTENT_TOO_LARGE") }
        let lines = [call.method, call.target, time, nonce, Encoding.hex(Hash.sha256(call.body))]
        let signature = Hash.hmac(
            Array(lines.joined(separator: "\n").utf8), key: Array(credentials.acmeClientSecret.utf8))
        guard call.header(Self.signatureHeader) == Encoding.hex(signature) else {
            return Self.error(401, "WRONG_SIGNATURE")
        }
        return nil
    }
}
