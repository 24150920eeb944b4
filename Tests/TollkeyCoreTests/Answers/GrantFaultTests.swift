import Testing
import TollkeyCore

struct GrantFaultTests {
    @Test(arguments: [
        (400, #"{"error":"invalid_client"}"#), (401, #"{"error":"invalid_client"}"#), (401, ""), (403, ""),
        (404, ""),
        (400, ""), (400, #"{"error":"unauthorized_client"}"#), (400, #"{"error":"invalid_scope"}"#),
        (422, #"{"detail":[]}"#),
        // The five providers' own.
        (401, #"{"detail":"Invalid credentials"}"#), (401, #"{"detail":"Incorrect App Key/Secret"}"#),
        (401, #"{"error":{"code":"INVALID_CLIENT","message":"Unknown client_id"}}"#),
        (401, #"{"success":false,"error":"Unauthorized","message":"x"}"#),
        (401, #"{"status":"error","code":401,"message":"Invalid API key."}"#),
        (400, #"{"detail":"Missing required fields"}"#),
    ])
    func `wrong credentials and wrong calls are rejected`(_ status: Int, _ content: String) {
        #expect(reason(answer(status, content)) == .rejected)
    }

    @Test(arguments: [
        #"{"error":"invalid_grant"}"#, #"{"error":"INVALID_GRANT"}"#, #"{"error":{"code":"INVALID_GRANT"}}"#,
        #"{"code":"invalid_grant"}"#, #"{"error_code":"invalid_grant"}"#,
        #"{"error":"Bad Request","code":"invalid_grant"}"#,
        #"{"error":"failed","error_code":"invalid_grant"}"#,
    ])
    func `a dead grant is one wherever the code stands`(_ content: String) {
        for status in [400, 401, 403] {
            for wasRefresh in [false, true] {
                #expect(reason(answer(status, content), wasRefresh: wasRefresh) == .grantDead)
            }
        }
    }

    @Test(arguments: [
        (400, ""), (401, ""), (400, #"{"detail":"Missing required fields"}"#), (401, "<html>"),
        (401, #"{"detail":"Invalid or expired token"}"#),
        (401, #"{"code":"token_not_valid","detail":"x y"}"#),
        (400, #"{"error":"invalid_refresh_token"}"#), (400, #"{"error":{"code":"TOKEN_EXPIRED"}}"#),
        (401, #"{"error":"Unauthorized"}"#), (401, #"{"status":"error","code":401}"#),
    ])
    func `a refresh that is refused without another reason has spent a dead token`(
        _ status: Int, _ content: String
    ) {
        #expect(reason(answer(status, content), wasRefresh: true) == .grantDead)
        #expect(reason(answer(status, content), wasRefresh: false) == .rejected)
    }

    @Test(arguments: [
        (401, #"{"error":"invalid_client"}"#), (400, #"{"error":"unsupported_grant_type"}"#),
        (400, #"{"error":"invalid_request"}"#), (401, #"{"error":{"code":"INVALID_API_KEY"}}"#), (403, ""),
        (404, ""),
        (400, #"{"error":"maintenance"}"#),
    ])
    func `a refresh that is refused for another reason keeps its token`(_ status: Int, _ content: String) {
        #expect(reason(answer(status, content), wasRefresh: true) == .rejected)
    }

    @Test(arguments: [500, 502, 503, 504, 599, 408, 425])
    func `the provider's trouble is no refusal`(_ status: Int) {
        for content in ["", #"{"error":"invalid_grant"}"#] {
            #expect(reason(answer(status, content), wasRefresh: true) == .unavailable(retryAfter: nil))
        }
        let waits = answer(status, "", [("retry-after", "7")])
        #expect(reason(waits) == .unavailable(retryAfter: .seconds(7)))
    }

    @Test(arguments: ["server_error", "temporarily_unavailable"])
    func `trouble may come as a 400`(_ code: String) {
        #expect(
            reason(answer(400, #"{"error":"\#(code)"}"#), wasRefresh: true) == .unavailable(retryAfter: nil))
    }

    @Test(
        arguments: [
            (nil, nil), ("0", .zero), ("120", .seconds(120)), ("561600", .seconds(561_600)),
            ("1.5", .milliseconds(1_500)),
            ("-1", nil), ("soon", nil), ("", nil), ("Thu, 15 Jan 2026 10:31:00 GMT", .seconds(60)),
            ("Thu, 15 Jan 2026 10:29:00 GMT", .zero), ("99999999999999999999", Grant.lifeMax),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Grant.lifeMax),
        ] as [(String?, Duration?)])
    func `a limit says how long to wait`(_ retryAfter: String?, _ expected: Duration?) {
        let fields = retryAfter.map { [("retry-after", $0)] } ?? []
        for status in [429] {
            let answer = answer(status, #"{"error":"invalid_grant"}"#, fields)
            #expect(reason(answer, wasRefresh: true) == .limited(retryAfter: expected))
        }
    }

    @Test func `a date to wait for is held against the answer's own`() {
        let fields = [("retry-after", "Thu, 15 Jan 2026 10:31:00 GMT"), ("date", noonDate)]
        for wall in [Int64.min, 0, noon + 86_400_000, .max] {
            let wrong = Moment(wall: wall, monotonic: 0)
            #expect(reason(answer(429, "", fields), asked: wrong) == .limited(retryAfter: .seconds(60)))
        }
        let farBack = Moment(wall: .min, monotonic: 0)
        #expect(reason(answer(429, "", [fields[0]]), asked: farBack) == .limited(retryAfter: Grant.lifeMax))
    }

    @Test(
        arguments: [
            (#"{"error":"invalid_client"}"#, "invalid_client"), (#"{"error":{"code":"A.b-C_1"}}"#, "A.b-C_1"),
            (#"{"error":"hm","code":"invalid_client"}"#, "invalid_client"),
            (#"{"error":"hm","code":"x"}"#, "hm"),
            (#"{"code":1001}"#, "1001"), (#"{"code":401}"#, nil), (#"{"error":"two words"}"#, nil),
            (#"{"error":""}"#, nil), (#"{"error":"é"}"#, nil), (#"{"error":true}"#, nil),
            (#"{"error":["a"]}"#, nil),
            (#"{"error":"a\nb"}"#, nil), (#"{"other":"a"}"#, nil), ("", nil), ("[]", nil),
        ] as [(String, String?)])
    func `only what has the form of a code is repeated`(_ content: String, _ code: String?) {
        guard case .refused(let refusal) = GrantFault(answer(401, content), wasRefresh: false, asked: asked)
        else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == code)
        #expect(refusal.words.contains(code.map { "(401, \($0))" } ?? "(401)"))
    }

    @Test func `a code is bounded`() {
        let most = String(repeating: "a", count: 64)
        let words = { (code: String) in
            GrantFault(answer(400, #"{"error":"\#(code)"}"#), wasRefresh: false, asked: asked).words
        }
        #expect(words(most).contains(most))
        #expect(!words(most + "a").contains("aaa"))
    }

    @Test func `words say what happened and what to do`() {
        let words = { (answer: TokenAnswer) in GrantFault(answer, wasRefresh: true, asked: asked).words }
        #expect(words(answer(401, #"{"error":"invalid_client"}"#)).contains("check the secrets"))
        #expect(words(answer(404, "")).contains("check its address"))
        #expect(words(answer(429, "", [("retry-after", "561600")])).contains("wait for 561600 s"))
        #expect(words(answer(302, "")).contains("redirect"))
        #expect(AnswerFlaw.value("url").words.contains("'url'"))
    }
}
