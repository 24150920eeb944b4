import Synchronization

/// Tuku's optional token for one request: a JWT over the app's id, the time and the content's hash. Its document
/// names no header, no algorithm and no way to sign; here they are `X-Request-Token`, SHA-256 and HS256.
extension Tuku {
    static let requestTokenHeader = "X-Request-Token"
    /// How far its time may be from ours, in either direction.
    private static let offsetSecondsMax: Int64 = 60
    /// Two equal calls of one second make equal tokens, and that second can end while they are under way.
    private static let sameSecondsMax: Int64 = 1

    /// Whether the call's token has come before, in an earlier second. Remembers it.
    func requestTokenIsReused(in call: Call, now: Int64) -> Bool {
        guard let token = call.header(Self.requestTokenHeader) else { return false }
        return state.withLock { state in
            guard case .good(let firstAt) = state.requestTokens.find(token, now: now) else {
                state.requestTokens.add(token, now, expiresAt: .max)
                return false
            }
            return Self.isReused(firstAt: firstAt, now: now)
        }
    }

    func refusal(ofRequestTokenIn call: Call, now: Int64) -> Answer? {
        guard let token = call.header(Self.requestTokenHeader) else {
            return needsRequestToken ? Self.error(401, "Request token is missing.") : nil
        }
        guard let claims = WebToken.claims(of: token, key: Array(secretKey.utf8)) else {
            return Self.error(401, "Request token has a wrong signature.")
        }
        guard claims["appId"]?.string == appID else {
            return Self.error(401, "Request token is for another app.")
        }
        guard let time = claims["timestamp"]?.string.flatMap(UnixTime.seconds(fromText:)),
            abs(now - time) <= Self.offsetSecondsMax
        else { return Self.error(401, "Request token is too old.") }
        guard call.body.count == call.bodyBytes else {
            return Self.error(413, "The content is too large to be checked.")
        }
        guard claims["hash"]?.string == Encoding.hex(Hash.sha256(call.body)) else {
            return Self.error(401, "Request token does not match the content.")
        }
        guard case .good(let firstAt) = state.withLock({ $0.requestTokens.find(token, now: now) }),
            !Self.isReused(firstAt: firstAt, now: now)
        else { return Self.error(401, "Request token was used before.") }
        return nil
    }

    private static func isReused(firstAt: Int64, now: Int64) -> Bool { now - firstAt > sameSecondsMax }
}
