import Testing
import TollkeyCore

/// What an answer with these fields says at noon.
func signals(_ fields: String..., status: Int = 200, now: Int64 = noon) throws -> RateSignals? {
    let all = "HTTP/1.1 \(status) X\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    let head = try response(all)
    return RateSignals.read(head.fields, bytes(all).span, status: head.status, now: now)
}

/// Spans in seconds.
private func saying(
    remaining: Int? = nil, reset: Double? = nil, retry: Double? = nil
) -> RateSignals {
    var signals = RateSignals()
    signals.remaining = remaining
    signals.resetIn = reset.map { .milliseconds(Int64($0 * 1_000)) }
    signals.retryAfter = retry.map { .milliseconds(Int64($0 * 1_000)) }
    return signals
}

private let noonSeconds = noon / 1_000

struct RateSignalsTests {
    @Test(arguments: [
        "Content-Type: text/plain", "RateLimi: 1", "X-RateLimit: 1", "X-RateLimit-Used: 1",
        "X-RateLimit-Limits: 1", "X_RateLimit_Remaining: 1", "RateLimit-Remainder: 1", "RetryAfter: 5",
        "Retry_After: 5", "X-RateLimit-Policy: 1",
    ])
    func `an answer without the fields says nothing`(_ field: String) throws {
        #expect(try signals(field) == nil)
        #expect(try signals() == nil)
        #expect(try signals(field, status: 429) == nil)
    }

    @Test(arguments: ["X-RateLimit-", "x-ratelimit-", "X-RATELIMIT-", "X-Rate-Limit-", "x-rate-limit-"])
    func `the usual three fields are read in any case and spelling`(_ prefix: String) throws {
        let read = try signals(
            "\(prefix)Limit: 1000", "Server: x", "\(prefix)Remaining: 990",
            "\(prefix)Reset: \(noonSeconds + 3_600)")
        #expect(read == saying(remaining: 990, reset: 3_600))
    }

    @Test func `an answer to a call of ours says the same`() throws {
        let answer = TokenAnswer(
            status: 429,
            fields: [
                AnswerField("content-type", "text/plain"), AnswerField("date", noonDate),
                AnswerField("set-cookie", "a\u{1}b"), AnswerField("retry-after", "7"),
                AnswerField("x-ratelimit-remaining", "3"), AnswerField("ratelimit", "\"hour\";r=2;t=9"),
                AnswerField("x-ratelimit-reset", "\(noonSeconds + 60)"),
            ], content: Secret(""))
        #expect(answer.rates(now: 0) == saying(remaining: 2, reset: 9, retry: 7))
        #expect(TokenAnswer(status: 200, content: Secret("")).rates(now: noon) == nil)
    }

    @Test func `the drafts' three fields are read`() throws {
        let read = try signals("RateLimit-Limit: 100", "ratelimit-remaining: 0", "RATELIMIT-RESET: 50")
        #expect(read == saying(remaining: 0, reset: 50))
    }

    @Test func `each field is read without the others`() throws {
        #expect(try signals("X-RateLimit-Remaining: 5") == saying(remaining: 5))
        #expect(try signals("X-RateLimit-Limit: 5", "RateLimit-Limit: 5") == nil)
        #expect(try signals("X-RateLimit-Reset: 5") == saying(reset: 5))
        #expect(try signals("Retry-After: 5", status: 429) == saying(retry: 5))
    }

    @Test func `what GitHub sends`() throws {
        let read = try signals(
            "Date: \(noonDate)", "X-RateLimit-Limit: 30", "X-RateLimit-Remaining: 14",
            "X-RateLimit-Reset: \(noonSeconds + 31)", "X-RateLimit-Used: 16", "X-RateLimit-Resource: search")
        #expect(read == saying(remaining: 14, reset: 31))
        let refused = try signals("Retry-After: 60", "x-ratelimit-remaining: 14", status: 403)
        #expect(refused == saying(remaining: 14, retry: 60))
    }

    @Test func `what Cloudflare sends`() throws {
        let read = try signals(
            "Ratelimit: \"default\";r=50;t=30", "Ratelimit-Policy: \"default\";q=1200;w=300",
            "X-RateLimit-Limit: 1200", "X-RateLimit-Remaining: 50")
        #expect(read == saying(remaining: 50, reset: 30))
        let refused = try signals(
            "Retry-After: 42", "X-RateLimit-Reset: Thu, 15 Jan 2026 10:30:42 GMT", status: 429)
        #expect(refused == saying(reset: 42, retry: 42))
    }

    @Test func `what Stripe and many others send with a refusal`() throws {
        #expect(
            try signals("Retry-After: 2", "Stripe-Rate-Limited-Reason: x", status: 429) == saying(retry: 2))
    }

    @Test func `Retry-After is heard in refusals only`() throws {
        for status in [400, 403, 429, 500, 503, 599] {
            #expect(try signals("Retry-After: 7", status: status) == saying(retry: 7))
        }
        for status in [200, 202, 301, 399] { #expect(try signals("Retry-After: 7", status: status) == nil) }
    }

    @Test func `Retry-After may be a date`() throws {
        for date in [
            "Thu, 15 Jan 2026 10:31:00 GMT", "Thursday, 15-Jan-26 10:31:00 GMT", "Thu Jan 15 10:31:00 2026",
        ] { #expect(try signals("Retry-After: \(date)", status: 429) == saying(retry: 60)) }
        let past = try signals("Retry-After: Thu, 15 Jan 2026 10:29:00 GMT", status: 429)
        #expect(past == saying(retry: 0))
    }

    @Test func `moments are held against the answer's own date`() throws {
        let date = "Date: Thu, 15 Jan 2026 10:30:30 GMT"
        for now in [noon - 86_400_000, noon, noon + 86_400_000] {
            let reset = "X-RateLimit-Reset: \(noonSeconds + 90)"
            #expect(try signals(date, reset, now: now) == saying(reset: 60))
            #expect(try signals(reset, date, now: now) == saying(reset: 60))
            let retry = "Retry-After: Thu, 15 Jan 2026 10:31:30 GMT"
            #expect(try signals(retry, date, status: 503, now: now) == saying(retry: 60))
        }
        #expect(try signals("X-RateLimit-Reset: \(noonSeconds + 90)", "Date: soon") == saying(reset: 90))
    }

    @Test func `the seconds that are left need no clock`() throws {
        for now in [noon, 0, -1, .min, .max] {
            let read = try signals("X-RateLimit-Reset: 30", "Retry-After: 20", status: 429, now: now)
            #expect(read == saying(reset: 30, retry: 20))
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("30", 30), ("29.5", 29.5), ("0.0001", 0.001), ("1e3", nil), ("2678400", 2_678_400),
            ("2678401", 2_678_400), ("884236499", 2_678_400), ("\(noonSeconds)", 0),
            ("\(noonSeconds + 30)", 30), ("\(noonSeconds - 30)", 0), ("\(noonSeconds + 30).25", 30.25),
            ("\(noonSeconds + 40_000_000)", 2_678_400), ("\(noon + 1_500)", 1.5), ("\(noon - 1)", 0),
            ("\(noon + 1_500).9", 1.5), ("2026-01-15T10:30:30Z", 30), ("2026-01-15T12:30:30+02:00", 30),
            ("Thu, 15 Jan 2026 10:30:30 GMT", 30), ("-30", nil), ("+30", nil), ("30s", nil), ("", nil),
            ("soon", nil), (".5", nil), ("5.", nil), ("1.2.3", nil),
        ] as [(String, Double?)])
    func `a reset is seconds that are left, seconds or milliseconds since 1970, or a date`(
        _ text: String, _ seconds: Double?
    ) throws {
        for name in ["X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset"] {
            #expect(try signals("\(name): \(text)") == seconds.map { saying(reset: $0) }, "\(name)")
        }
        #expect(try signals("Retry-After: \(text)", status: 429) == seconds.map { saying(retry: $0) })
    }

    @Test(arguments: [
        "\(noonSeconds * 2 + 1)", "4294967295", "\(noon)000", "9223372036854775807", "18446744073709551616",
        String(repeating: "9", count: 100),
    ])
    func `a number beyond all meaning is no reset, and the longest Retry-After`(_ text: String) throws {
        #expect(try signals("X-RateLimit-Reset: \(text)", status: 429) == nil)
        #expect(try signals("Retry-After: \(text)", status: 429) == saying(retry: 2_678_400))
        #expect(try signals("Retry-After: \(text), 3", status: 429) == saying(retry: 2_678_400))
        #expect(try signals("Retry-After: \(text)s", "Retry-After: -\(text)", status: 429) == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("1000", 1_000), ("007", 7), ("12.9", 12),
            ("999999999999999999", 999_999_999_999_999_999),
            ("1000000000000000000", nil), ("-1", nil), ("+1", nil), ("1_000", nil), ("", nil), ("many", nil),
            ("1.", nil), ("1x", nil), ("1.x", nil), ("0x10", nil), ("１", nil),
        ] as [(String, Int?)])
    func `a count is a plain number`(_ text: String, _ count: Int?) throws {
        #expect(try signals("X-RateLimit-Remaining: \(text)") == count.map { saying(remaining: $0) })
        #expect(try signals("RateLimit-Remaining: \(text)") == count.map { saying(remaining: $0) })
    }

    @Test func `nonsense in one field leaves the others`() throws {
        let read = try signals(
            "X-RateLimit-Limit: unlimited", "X-RateLimit-Remaining: 3", "X-RateLimit-Reset: tomorrow",
            "Retry-After: -1", status: 429)
        #expect(read == saying(remaining: 3))
    }

    @Test func `of the same field twice the stricter is believed`() throws {
        let read = try signals(
            "X-RateLimit-Remaining: 5", "X-RateLimit-Reset: 10", "X-Rate-Limit-Remaining: 3",
            "X-RateLimit-Remaining: 7, 6, 8", "X-RateLimit-Reset: 20",
            "Retry-After: 1", "Retry-After: 3, 2", status: 503)
        #expect(read == saying(remaining: 3, reset: 20, retry: 3))
    }

    @Test func `of two families the one with less left is believed whole`() throws {
        let hour = ["X-RateLimit-Limit: 1000", "X-RateLimit-Remaining: 40", "X-RateLimit-Reset: 3600"]
        let minute = ["RateLimit-Limit: 60", "RateLimit-Remaining: 5", "RateLimit-Reset: 30"]
        let read = try signals(hour[0], minute[0], minute[1], hour[1], minute[2], hour[2])
        #expect(read == saying(remaining: 5, reset: 30))
        let later = try signals(hour[2], "X-RateLimit-Remaining: 5", minute[1], minute[2])
        #expect(later == saying(remaining: 5, reset: 3_600))
        #expect(try signals(hour[1], minute[0], minute[2]) == saying(remaining: 40, reset: 30))
    }
}
