import Testing
import TollkeyConfig
import TollkeyCore

struct OTPReaderTests {
    private let request =
        "request: {post: /r, json: {o: \"${operation}\", e: \"${escrow}\"}, read: id, lifetime: 300s}"
    private let verify =
        "verify: {post: /v, json: {i: \"${otp_id}\", c: \"${code}\"}, read: {token: t, expires_in: e}}"
    private let rest = "lifetime: 600s, inject: {X-V: \"${verification_token}\"}"
    private let call = "{match: POST /a, operation: o, subject: {escrow: data.id}}"

    private func file(_ otp: String) -> String { "upstream: https://a.test\notp: {\(otp)}" }

    /// In line 4.
    private func problems(_ otp: String) -> [String] { providerProblems(file(otp)) }

    @Test func `every key lands in its setting`() throws {
        let otp = try #require(
            try provider(
                file(
                    "\(request), \(verify), \(rest), calls: [\(call), {match: \"* /b/**\", operation: p, required: false}]"
                )
            ).otp)
        var request = CallSettings(method: "POST", place: .upstream(path: [.text("/r")]))
        request.content = .json(
            .object([
                .init(name: "o", value: .text([.input("operation")])),
                .init(name: "e", value: .text([.input("escrow")])),
            ]))
        var verify = CallSettings(method: "POST", place: .upstream(path: [.text("/v")]))
        verify.content = .json(
            .object([
                .init(name: "i", value: .text([.input("otp_id")])),
                .init(name: "c", value: .text([.input("code")])),
            ]))
        var read = ReadSettings(token: .json([.member("t")]))
        read.expiry = [.seconds(.json([.member("e")]))]
        var expected = OTPSettings(
            request: request, readID: .json([.member("id")]), codeLifetime: .seconds(300), verify: verify,
            read: read, lifetime: .seconds(600),
            inject: [InjectedHeader(name: "X-V", value: [.input("verification_token")])])
        var release = OTPCall(pattern: try CallPattern("POST /a"), operation: "o")
        release.subject = .init(input: "escrow", field: [.member("data"), .member("id")])
        var other = OTPCall(pattern: try CallPattern("* /b/**"), operation: "p")
        other.isRequired = false
        expected.calls = [release, other]
        #expect(otp == expected)
    }

    @Test func `each part that is missing is a problem`() {
        #expect(
            problems("").map { String($0.dropFirst("4:5: ".count)) } == [
                "\"otp\" needs \"request\"; add it", "\"otp\" needs \"verify\"; add it",
                "\"otp\" needs \"lifetime\"; add it", "\"otp\" needs \"inject\"; add it",
                "\"otp\" needs \"calls\"; add it",
            ])
        #expect(
            problems("request: {post: /r}, \(verify), \(rest), calls: []") == [
                "4:11: \"request\" needs \"read\"; add it", "4:11: \"request\" needs \"lifetime\"; add it",
            ])
        #expect(
            problems("verify: {post: /r, form: {c: \"${code}\"}}, \(request), \(rest), calls: []")
                == ["4:11: \"verify\" needs \"read\"; add it"])
        #expect(
            problems("calls: [{}], \(request), \(verify), \(rest)") == [
                "4:19: \"calls\" needs \"match\"; add it", "4:19: \"calls\" needs \"operation\"; add it",
            ])
    }

    @Test func `a code that is not sent and a token that is not used are problems`() {
        #expect(
            problems("verify: {post: /v, read: {token: t}}, \(request), \(rest), calls: []")
                == ["4:26: \"verify\" sends no ${code}; write it into its form or json"])
        #expect(
            problems("inject: {X-V: v}, \(request), \(verify), lifetime: 600s, calls: []") == [
                "4:11: \"inject\" sets no ${verification_token}, so that the OTP has no effect; add it"
            ])
    }

    @Test func `a verification token is not renewed`() {
        #expect(
            problems(
                "verify: {read: {token: t, refresh_token: r}, post: /v, form: {c: \"${code}\"}}, \(request), \(rest), calls: []"
            ) == [
                "4:20: a verification token is not renewed and has no values; take out all but token and expires_…"
            ])
    }

    @Test(arguments: [
        (
            "{escrw: id}",
            "4:60: \"request\" sends no ${escrw}; did you mean \"escrow\"?; name an input of its content"
        ),
        (
            "{}",
            "4:50: \"subject\" is one input and its place in the call's JSON, as in {escrow_id: escrow_id}"
        ),
        (
            "{escrow: a, operation: b}",
            "4:50: \"subject\" is one input and its place in the call's JSON, as in {escrow_id: escrow_id}"
        ),
        ("{escrow: \"$.a\"}", "4:68: \"escrow\" needs no \"$.\"; begin with the first name"),
    ])
    func `a subject is an input of the request and a place`(_ subject: String, _ expected: String) {
        #expect(
            problems(
                "calls: [{match: POST /a, operation: o, subject: \(subject)}], \(request), \(verify), \(rest)"
            )
                == [expected])
    }

    @Test func `inputs are known in their steps alone`() {
        #expect(
            problems(
                "request: {post: /r, form: {c: \"${code}\"}, read: i, lifetime: 1s}, \(verify), \(rest), calls: []"
            )
                == ["4:41: \"c\" names \"code\", which only \"login.exchange\" and \"otp.verify\" has"])
        #expect(
            providerProblems("upstream: https://a.test\ninject: {X-V: \"${verification_token}\"}")
                == ["4:19: \"X-V\" names \"verification_token\", which only \"otp.inject\" has"])
    }

    @Test func `calls go up to their bound`() {
        func many(_ count: Int) -> [String] {
            let calls = (0..<count).map { "{match: POST /\($0), operation: o}" }.joined(separator: ", ")
            return problems("calls: [\(calls)], \(request), \(verify), \(rest)")
        }
        #expect(many(Bounds.otpCalls).isEmpty)
        #expect(many(Bounds.otpCalls + 1) == ["4:18: \"calls\" has more than 64 entries; shorten it"])
    }
}
