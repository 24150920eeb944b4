import TollkeyCore

/// OTPs as Piaxis has them, with a second operation.
func otpExample() throws -> OTPSettings {
    func text(_ input: String) -> JSONTemplate { .text([.input(input)]) }
    var request = CallSettings(method: "POST", place: .upstream(path: template("/auth/request-otp")))
    request.content = .json(
        .object([
            .init(name: "operation", value: text("operation")),
            .init(name: "about", value: .object([.init(name: "escrow_id", value: text("escrow_id"))])),
            .init(name: "list", value: .array([.literal("1"), text("batch")])),
            .init(name: "phone_number", value: .text(template("+${input.phone_number}"))),
        ]))
    var verify = CallSettings(method: "POST", place: .upstream(path: template("/auth/verify-otp")))
    verify.content = .json(
        .object([.init(name: "otp_id", value: text("otp_id")), .init(name: "otp_code", value: text("code"))]))
    var read = ReadSettings(token: .json([.member("verification_token")]))
    read.expiry = [.seconds(.json([.member("expires_in")]))]
    var settings = OTPSettings(
        request: request, readID: .json([.member("otp_id")]), codeLifetime: .seconds(300), verify: verify,
        read: read, lifetime: .seconds(600),
        inject: [
            InjectedHeader(name: "X-Verification-Token", value: template("${input.verification_token}"))
        ])
    settings.calls = [
        try call("POST /escrow/release", "release", ("escrow_id", "escrow_id")),
        try call("POST /batch/*", "batch", ("batch", "id")), try call("* /escrow/**", "release", nil),
        try call("PUT /account", "account", nil),
    ]
    return settings
}

private func call(_ pattern: String, _ operation: String, _ subject: (String, String)?) throws -> OTPCall {
    var call = OTPCall(pattern: try CallPattern(pattern), operation: operation)
    call.subject = subject.map { .init(input: $0, field: [.member($1)]) }
    return call
}

/// `seconds` after a moment that is good for all tests.
func after(_ seconds: Int64) -> Moment {
    Moment(wall: 1_768_473_000_000 + seconds * 1_000, monotonic: (1 << 40) + seconds * 1_000_000_000)
}
