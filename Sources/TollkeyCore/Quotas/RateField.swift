/// The fields of an answer's head that say something about limits.
enum RateField: Sendable, Equatable {
    /// Whose names they are: what one family says belongs together.
    enum Family: Sendable, Equatable {
        /// `X-RateLimit-…`, also written `X-Rate-Limit-…`: a habit, nowhere defined.
        case habit
        /// `RateLimit-…`, of draft-ietf-httpapi-ratelimit-headers up to its sixth version.
        case draft
    }

    case remaining(Family)
    case reset(Family)
    /// `RateLimit`: what is left, as a structured field.
    case current
    /// `RateLimit-Policy`: what the quotas are of that `RateLimit` speaks of by name.
    case policy
    case retryAfter

    /// By length first: it runs over all fields of all answers, and nearly none is one of these.
    init?(_ name: Span<UInt8>) {
        switch name.count {
        case 9 where name.equalsIgnoringCase("ratelimit"): self = .current
        case 11 where name.equalsIgnoringCase("retry-after"): self = .retryAfter
        case 15, 16, 19:
            guard name.hasPrefixIgnoringCase("ratelimit-") else { return nil }
            self.init(behind: 10, of: name, .draft)
        case 17, 21:
            guard name.hasPrefixIgnoringCase("x-ratelimit-") else { return nil }
            self.init(behind: 12, of: name, .habit)
        case 18, 22:
            guard name.hasPrefixIgnoringCase("x-rate-limit-") else { return nil }
            self.init(behind: 13, of: name, .habit)
        default: return nil
        }
    }

    private init?(behind prefix: Int, of name: Span<UInt8>, _ family: Family) {
        let word = name.extracting(prefix..<name.count)
        if word.equalsIgnoringCase("remaining") {
            self = .remaining(family)
        } else if word.equalsIgnoringCase("reset") {
            self = .reset(family)
        } else if family == .draft, word.equalsIgnoringCase("policy") {
            self = .policy
        } else {
            return nil
        }
    }
}
