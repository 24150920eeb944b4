import Testing
import TollkeyCore

struct RefusalsTests {
    private let rules = [
        RefusalRule(status: 419),
        RefusalRule(
            status: 400,
            expect: [
                Expectation(place: .member("code"), value: "1001"),
                Expectation(place: .member("error", "code"), value: "TOKEN_EXPIRED"),
            ]),
        RefusalRule(status: 403, expect: [Expectation(place: .header("x-reason"), value: "token")]),
    ]

    private func refused(_ status: Int, _ content: String? = nil, _ fields: [AnswerField] = []) -> Bool {
        Refusals.means(refused: status, fields: fields, content: content.map(bytes), rules: rules)
    }

    @Test func `401 always means it, and a rule without expectations by its status`() {
        #expect(refused(401))
        #expect(Refusals.means(refused: 401, content: nil, rules: []))
        #expect(refused(419))
        #expect(!refused(403) && !refused(200) && !refused(500))
    }

    @Test func `a rule with expectations is met by any of them`() {
        #expect(refused(400, #"{"code":1001}"#))
        #expect(refused(400, #"{"code":"1001"}"#))
        #expect(refused(400, #"{"error":{"code":"TOKEN_EXPIRED"}}"#))
        #expect(!refused(400, #"{"code":1002}"#))
        #expect(!refused(402, #"{"code":1001}"#))
        #expect(refused(403, nil, [AnswerField("x-reason", "token")]))
        #expect(!refused(403, nil, [AnswerField("x-reason", "scope")]))
    }

    @Test func `content that is not known or not JSON meets none`() {
        #expect(!refused(400))
        #expect(!refused(400, ""))
        #expect(!refused(400, "code 1001"))
    }

    @Test func `content is needed only where it decides`() {
        #expect(Refusals.needsContent(status: 400, rules: rules))
        for status in [200, 401, 403, 419, 500] {
            #expect(!Refusals.needsContent(status: status, rules: rules))
        }
        #expect(!Refusals.needsContent(status: 400, rules: rules + [RefusalRule(status: 400)]))
        let unauthorized = RefusalRule(status: 401, expect: rules[1].expect)
        #expect(!Refusals.needsContent(status: 401, rules: [unauthorized]))
    }
}

struct ProbeVerdictTests {
    private func verdict(_ answer: TokenAnswer, expecting: String? = nil, _ rules: [RefusalRule] = [])
        -> ProbeVerdict
    {
        var probe = ProbeSettings(
            call: CallSettings(method: "GET", place: .upstream(path: [.text("/probe")])))
        probe.expect = expecting.map { [Expectation(place: .member("status"), value: $0)] } ?? []
        return ProbeVerdict(answer, probe, rules: rules)
    }

    @Test func `a success works unless it says otherwise`() {
        #expect(verdict(answer(200, "")) == .works)
        #expect(verdict(answer(204, "")) == .works)
        #expect(verdict(answer(200, #"{"status":"valid"}"#), expecting: "valid") == .works)
        #expect(verdict(answer(200, #"{"status":"invalid"}"#), expecting: "valid") == .refused)
        #expect(verdict(answer(200, "{}"), expecting: "valid") == .refused)
    }

    @Test func `a page in the way says nothing`() {
        #expect(verdict(answer(200, "<html>log in</html>"), expecting: "valid") == .unknown)
        #expect(verdict(answer(200, ""), expecting: "valid") == .unknown)
    }

    @Test func `401 and the provider's rules refuse`() {
        #expect(verdict(answer(401, "")) == .refused)
        let rule = RefusalRule(status: 403, expect: [Expectation(place: .member("code"), value: "dead")])
        #expect(verdict(answer(403, #"{"code":"dead"}"#), [rule]) == .refused)
        #expect(verdict(answer(403, #"{"code":"scope"}"#), [rule]) == .works)
        let success = RefusalRule(status: 200, expect: rule.expect)
        #expect(verdict(answer(200, #"{"code":"dead"}"#), [success]) == .refused)
    }

    @Test func `403 means that the credential is known`() {
        #expect(verdict(answer(403, "")) == .works)
        #expect(verdict(answer(403, ""), expecting: "valid") == .works)
    }

    @Test(arguments: [0, 100, 302, 400, 404, 429, 500, 503])
    func `anything else says nothing`(_ status: Int) {
        #expect(verdict(answer(status, #"{"status":"valid"}"#), expecting: "valid") == .unknown)
    }
}
