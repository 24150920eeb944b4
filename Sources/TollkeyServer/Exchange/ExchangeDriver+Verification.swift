import TollkeyCore

/// One-time passwords in the calls that go by: the token that some calls need, and the calls that bring one.
extension ExchangeDriver {
    /// What this call has to do with them.
    func verificationRole() -> VerificationDesk.Role? {
        guard let desk = service?.board.verification else { return nil }
        return input.read { bytes in
            desk.role(
                method: bytes.extracting(head.method),
                path: bytes.extracting(
                    head.target.path.lowerBound + prefixLength..<head.target.path.upperBound))
        }
    }

    /// Finds the headers that the call is to have besides; false when the call has been answered instead.
    func verify() -> Bool {
        guard let role = verification, let desk = service?.board.verification else { return true }
        switch role {
        case .step:
            // The answer is to be read here.
            added = [RenderedHeader(name: "Accept-Encoding", value: Secret("identity"))]
            return true
        case .needs(let call):
            guard let token = desk.token(for: call, content: heldContent, at: loop.moment) else {
                return !call.isRequired || refuseUnverified(call)
            }
            verificationToken = token
            var filler = TemplateFiller(
                ValuePlan([]), secrets: service?.provider.secrets ?? [:], credentials: [:],
                inputs: ["verification_token": token], cryptography: SystemCryptography())
            added = desk.settings.inject.compactMap { try? filler.fill($0) }
            return true
        }
    }

    private func refuseUnverified(_ call: OTPCall) -> Bool {
        let name = service?.provider.name ?? ""
        let failure = Failure(
            .otpRequired,
            """
            The operation '\(call.operation)' needs a one-time password, and no verification for it is held: run \
            tollkey otp \(name) --operation \(call.operation), or make the provider's two OTP calls through this proxy.
            """)
        perform(exchange.handle(.requestInvalid(failure)))
        return false
    }

    var heldContent: Secret { Secret(gathered.map { Array($0.readable) } ?? []) }

    /// A final head has come.
    func noteVerificationAnswer() {
        // It may have been good for once, or be for something else.
        if answer.status == 403, let token = verificationToken { service?.board.verification?.drop(token) }
        if case .step? = verification { tapped = [] }
    }

    /// Keeps a copy of the answer to one of the two calls.
    func tap(_ bytes: Span<UInt8>) {
        guard let count = tapped?.count else { return }
        guard count + bytes.count <= HeldAnswer.bytesMax else {
            tapped = nil
            return
        }
        bytes.withUnsafeBytes { tapped? += $0 }
    }

    /// The answer is complete; what it says is known to every event loop before the client has its end.
    func captureVerification() {
        guard let content = tapped, case .step(let step)? = verification, let board = service?.board else {
            return
        }
        tapped = nil
        let answer = TokenAnswer(status: answer.status, content: Secret(content))
        guard
            let update = board.verification?.capture.update(
                step, content: heldContent, answer: answer, sent: loop.moment),
            board.verification?.apply(update, at: loop.moment) == true
        else { return }
        if case .verified = update { board.tell(.verified) }
    }
}
