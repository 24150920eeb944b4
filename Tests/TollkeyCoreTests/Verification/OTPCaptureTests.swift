import Testing
import TollkeyCore

struct OTPCaptureTests {
    private let settings: OTPSettings
    private let capture: OTPCapture
    init() throws {
        settings = try otpExample()
        capture = OTPCapture(settings)
    }

    private func step(_ method: String, _ path: String, _ capture: OTPCapture? = nil) -> OTPCapture.Step? {
        (capture ?? self.capture).step(method: bytes(method).span, path: bytes(path).span)
    }

    private func call(_ method: String, _ path: String) -> OTPCall? {
        capture.call(method: bytes(method).span, path: bytes(path).span)
    }

    private func update(
        _ step: OTPCapture.Step, _ content: String, status: Int = 200, _ answer: String
    ) -> OTPCapture.Update? {
        capture.update(
            step, content: Secret(content), answer: TokenAnswer(status: status, content: Secret(answer)),
            sent: after(0))
    }

    @Test func `the provider's two calls are known by method and path`() {
        #expect(step("POST", "/auth/request-otp") == .request && step("POST", "/auth/verify-otp") == .verify)
        for (method, path) in [
            ("GET", "/auth/request-otp"), ("POST", "/auth/request-otp/"), ("POST", "/Auth/request-otp"),
            ("POST", "/v1/auth/verify-otp"), ("POST", "/"),
        ] {
            #expect(step(method, path) == nil)
        }
    }

    @Test func `calls elsewhere, or to paths that differ, are not captured`() {
        var other = settings
        other.request.place = .elsewhere(url: acme().upstream, path: template("/auth/request-otp"))
        other.verify.place = .upstream(path: template("/auth/${input.otp_id}"))
        let capture = OTPCapture(other)
        #expect(step("POST", "/auth/request-otp", capture) == nil && step("POST", "/auth/x", capture) == nil)
    }

    @Test func `a request is noted with its operation, its subject and the code's id`() {
        let answer = #"{"otp_id":"o1","expires_in":300}"#
        #expect(
            update(
                .request, #"{"operation":"release","about":{"escrow_id":"e1"},"phone_number":"+2"}"#, answer)
                == .requested(operation: "release", subject: "e1", otpID: Secret("o1")))
        #expect(
            update(.request, #"{"operation":"batch","list":[1,77]}"#, #"{"otp_id":12}"#)
                == .requested(operation: "batch", subject: "77", otpID: Secret("12")))
    }

    @Test func `a subject of another operation binds nothing`() {
        #expect(
            update(.request, #"{"operation":"account","about":{"escrow_id":"e1"}}"#, #"{"otp_id":"o1"}"#)
                == .requested(operation: "account", subject: nil, otpID: Secret("o1")))
    }

    @Test(arguments: [
        (200, #"{"operation":"release"}"#, #"{"status":"success"}"#),
        (400, #"{"operation":"release"}"#, "{}"),
        (400, #"{"operation":"release"}"#, #"{"otp_id":"o1"}"#), (200, "{}", #"{"otp_id":"o1"}"#),
        (200, "operation=release", #"{"otp_id":"o1"}"#), (200, "", #"{"otp_id":"o1"}"#),
        (200, #"{"operation":"release","operation":"batch"}"#, #"{"otp_id":"o1"}"#),
        (200, #"{"operation":{"a":1}}"#, #"{"otp_id":"o1"}"#), (200, #"{"operation":"release"}"#, "<html>"),
    ])
    func `a request that failed or says too little is not noted`(
        _ status: Int, _ content: String, _ answer: String
    ) {
        #expect(update(.request, content, status: status, answer) == nil)
    }

    @Test func `a verified code is noted with its token and the token's end`() {
        let content = #"{"otp_id":"o1","otp_code":"123456"}"#
        #expect(
            update(.verify, content, #"{"verification_token":"t","expires_in":"60"}"#)
                == .verified(otpID: Secret("o1"), token: Secret("t"), expires: after(0) + .seconds(60)))
        #expect(
            update(.verify, content, #"{"verification_token":"t"}"#)
                == .verified(otpID: Secret("o1"), token: Secret("t"), expires: after(0) + .seconds(600)))
    }

    @Test(arguments: [
        (400, #"{"otp_id":"o1"}"#, #"{"verification_token":"t"}"#), (200, #"{"otp_id":"o1"}"#, "{}"),
        (200, #"{"otp_id":"o1"}"#, #"{"verification_token":""}"#),
        (200, #"{"otp_id":"o1"}"#, #"{"verification_token":"a\r\nb"}"#),
        (200, #"{"otp_id":"o1"}"#, #"{"verification_token":"t","expires_in":0}"#),
        (200, #"{"otp_code":"1"}"#, #"{"verification_token":"t"}"#),
    ])
    func `a check that failed or says too little is not noted`(
        _ status: Int, _ content: String, _ answer: String
    ) {
        #expect(update(.verify, content, status: status, answer) == nil)
    }

    @Test func `from the application's calls to the token on the call that needs it`() throws {
        var ledger = VerificationLedger(settings)
        let asked = try #require(
            update(.request, #"{"operation":"release","about":{"escrow_id":"e1"}}"#, #"{"otp_id":"o1"}"#))
        let isAskedNoted = ledger.apply(asked, at: after(0))
        let verified = try #require(
            update(
                .verify, #"{"otp_id":"o1","otp_code":"1"}"#, #"{"verification_token":"t","expires_in":600}"#))
        let isNoted = ledger.apply(verified, at: after(10))
        let isNotedAgain = ledger.apply(verified, at: after(11))
        #expect(isAskedNoted && isNoted && !isNotedAgain)
        let call = try #require(self.call("POST", "/escrow/release"))
        let subject = call.subject(in: Secret(#"{"escrow_id":"e1"}"#))
        #expect(ledger.token(for: call.operation, subject: subject, at: after(20)) == Secret("t"))
        #expect(ledger.token(for: call.operation, subject: "e2", at: after(20)) == nil)
    }

    @Test(
        arguments: [
            ("POST", "/escrow/release", "release", true), ("GET", "/escrow/release", "release", false),
            ("DELETE", "/escrow", "release", false), ("POST", "/batch/7", "batch", true),
            ("PUT", "/account", "account", false), ("GET", "/account", nil, false),
            ("POST", "/batch", nil, false),
        ] as [(String, String, String?, Bool)])
    func `the first pattern that matches says what a call needs`(
        _ method: String, _ path: String, _ operation: String?, _ needsContent: Bool
    ) {
        let call = self.call(method, path)
        #expect(call?.operation == operation && (call?.needsContent ?? false) == needsContent)
    }

    @Test(
        arguments: [
            (#"{"escrow_id":"e1"}"#, "e1"), (#"{"escrow_id":17}"#, "17"), (#"{"escrow_id":null}"#, nil),
            ("{}", nil),
            ("", nil), ("escrow_id=e1", nil), (#"{"escrow_id":"e1","escrow_id":"e2"}"#, nil),
        ] as [(String, String?)])
    func `a call's subject stands in its content`(_ content: String, _ subject: String?) {
        let call = self.call("POST", "/escrow/release")
        #expect(call?.subject(in: Secret(content)) == subject)
    }

    @Test func `the token's headers are made with the snapshot`() throws {
        let provider = acme { $0.secrets = ["k": Secret("key")] }
        let snapshot = try CredentialSnapshot(
            generation: 1, provider: provider, secrets: provider.secrets, cryptography: FakeCryptography())
        let inputs = ["verification_token": Secret("t")]
        let more = [InjectedHeader(name: "X-K", value: template("${secret.k}"))]
        let headers = try snapshot.headers(settings.inject + more, inputs: inputs, now: 0)
        #expect(headers.map { "\($0.name): \($0.value.shown)" } == ["X-Verification-Token: t", "X-K: key"])
        #expect(throws: RenderingError.missing("verification_token")) {
            try snapshot.headers(settings.inject, inputs: [:], now: 0)
        }
    }

    @Test func `no token shows in an update`() {
        expectHidden(
            update(.verify, #"{"otp_id":"hunter2"}"#, #"{"verification_token":"hunter2"}"#) as Any)
    }
}
