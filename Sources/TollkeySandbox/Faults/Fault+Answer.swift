import NIOHTTP1

extension Fault {
    private static let page =
        "<!doctype html><html><title>Sign in</title><body>Sign in to go on.</body></html>"

    /// What is answered in the provider's place; nil for a fault that leaves the answer to the provider, or that
    /// is none at the level of answers.
    func answer(for provider: Provider, to call: Call?, now: Int64, words: (Refusal) -> Answer) -> Answer? {
        switch self {
        case .unauthorized: return words(.unauthorized)
        case .rateLimited(let seconds): return words(.rateLimited(retryAfter: seconds))
        case .rateLimitedUntil(let seconds):
            var answer = words(.rateLimited(retryAfter: seconds))
            answer.headers.replaceOrAdd(name: "Retry-After", value: UnixTime.httpText(now + seconds))
            return answer
        case .serverError: return words(.serverError)
        case .unavailable(let seconds):
            return Answer(503, ["error": "unavailable"], headers: ["Retry-After": String(seconds)])
        case .status(let status): return CommonPaths.answer(withStatus: status)
        case .oauthError(let error): return error.answer()
        case .nonsense:
            var answer = Answer(200)
            answer.add("Content-Type", "text/html; charset=utf-8")
            answer.body = .bytes(Array(Self.page.utf8))
            return answer
        case .empty:
            var answer = Answer(200)
            answer.body = .bytes([])
            return answer
        case .hollow: return Answer(200, [:])
        case .huge(let bytes):
            var answer = Answer(200)
            answer.add("Content-Type", "application/json")
            answer.body = .filler(count: bytes, chunked: false)
            return answer
        case .redirect: return CommonPaths.redirect(307, from: call, provider: provider)
        case .slowHead, .slowBody, .closeBeforeHead, .closeMidBody, .reset, .loseAnswer, .garbage,
            .bothLengths, .stall, .earlyAnswer, .closeAfter, .neverRead:
            return nil
        }
    }
}
