import TollkeyCore

/// `otp`: one-time passwords, and the calls that need one.
struct OTPReader {
    let names: Names

    private var reading: Reading { names.reading }

    func read(_ map: inout MapReader) -> OTPSettings? {
        var settings: OTPSettings?
        map.map("otp") { map in
            let request = readRequest(&map)
            let verify = readVerify(&map)
            let lifetime = map.value("lifetime", .duration(in: Bounds.otpLifetime))
            let inject = readInject(&map)
            let calls = readCalls(&map, inputs: request?.inputs)
            if let place = map.place {
                for key in ["request", "verify", "lifetime", "inject", "calls"] where !map.has(key) {
                    reading.report(place, "\"otp\" needs \"\(key)\"; add it")
                }
            }
            guard let request, let verify, let lifetime else { return }
            var otp = OTPSettings(
                request: request.call, readID: request.readID, codeLifetime: request.lifetime,
                verify: verify.call, read: verify.read, lifetime: lifetime.value, inject: inject)
            otp.calls = calls
            settings = otp
        }
        return settings
    }

    private struct Request {
        var call: CallSettings
        var readID: AnswerPlace
        var lifetime: Duration
        /// What a person or a call has to give.
        var inputs: Set<String>
    }

    private func readRequest(_ map: inout MapReader) -> Request? {
        var request: Request?
        map.map("request") { map in
            _ = names.takeUsedInputs()
            let call = CallReader(names: names).read(&map, reach: .requestOTP)
            let inputs = names.takeUsedInputs()
            let id = map.value("read", .text(AnswerPlace.parse))
            let lifetime = map.value("lifetime", .duration(in: Bounds.otpLifetime))
            reportMissing(["read", "lifetime"], map, "request")
            guard let call, let id, let lifetime else { return }
            request = Request(call: call.value, readID: id.value, lifetime: lifetime.value, inputs: inputs)
        }
        return request
    }

    private func readVerify(_ map: inout MapReader) -> (call: CallSettings, read: ReadSettings)? {
        var verify: (call: CallSettings, read: ReadSettings)?
        map.map("verify") { map in
            let problemsBefore = reading.problemCount
            _ = names.takeUsedInputs()
            let call = CallReader(names: names).read(&map, reach: .verifyOTP)
            let isComplete = reading.problemCount == problemsBefore
            if let call, isComplete, !names.takeUsedInputs().contains("code") {
                reading.report(call.position, "\"verify\" sends no ${code}; write it into its form or json")
            }
            let read = AnswerReader(reading: reading).read(&map, "read")
            reportMissing(["read"], map, "verify")
            if let read, read.value.refreshToken != nil || !read.value.values.isEmpty {
                reading.report(
                    read.position,
                    "a verification token is not renewed and has no values; take out all but token and expires_…"
                )
            }
            guard let call, let read else { return }
            verify = (call.value, read.value)
        }
        return verify
    }

    private func readInject(_ map: inout MapReader) -> [InjectedHeader] {
        _ = names.takeUsedInputs()
        let problemsBefore = reading.problemCount
        let headers = HeaderReader(names: names).read(&map, "inject", reach: .verified)
        let used = names.takeUsedInputs()
        if let place = map.place(of: "inject"), reading.problemCount == problemsBefore,
            !used.contains("verification_token")
        {
            reading.report(
                place, "\"inject\" sets no ${verification_token}, so that the OTP has no effect; add it")
        }
        return headers.map(\.header)
    }

    private func readCalls(_ map: inout MapReader, inputs: Set<String>?) -> [OTPCall] {
        var calls: [OTPCall] = []
        map.maps("calls", max: Bounds.otpCalls) { map in
            let pattern = map.value("match", .text(CallPattern.parse))
            let operation = map.value("operation", .word)
            let subject = readSubject(&map, inputs: inputs)
            var isRequired = true
            map.set(&isRequired, "required", .flag)
            reportMissing(["match", "operation"], map, "calls")
            guard let pattern, let operation else { return }
            var call = OTPCall(pattern: pattern.value, operation: operation.value)
            call.subject = subject
            call.isRequired = isRequired
            calls.append(call)
        }
        return calls
    }

    /// One input of `request`, and its place in the call's content. `inputs` is nil when nothing is known about them.
    private func readSubject(_ map: inout MapReader, inputs: Set<String>?) -> OTPCall.Subject? {
        guard let subject = map.entries("subject", max: Bounds.expectations) else { return nil }
        guard subject.value.count == 1, let entry = subject.value.first else {
            reading.report(
                subject.position,
                "\"subject\" is one input and its place in the call's JSON, as in {escrow_id: escrow_id}")
            return nil
        }
        guard map.isNamed(entry, "an input") else { return nil }
        if let inputs, !inputs.contains(entry.key) {
            let hint = NearMiss.hint(for: entry.key, among: inputs.sorted())
            reading.report(
                entry.position, "\"request\" sends no ${\(entry.key)}\(hint); name an input of its content")
        }
        let field = Format<[AnswerPlace.Step]>.text(AnswerPlace.steps)
        return field.read(entry.value, entry.key, reading).map {
            OTPCall.Subject(input: entry.key, field: $0)
        }
    }

    private func reportMissing(_ keys: [String], _ map: MapReader, _ of: String) {
        guard let place = map.place else { return }
        for key in keys where !map.has(key) {
            reading.report(place, "\"\(of)\" needs \"\(key)\"; add it")
        }
    }
}
