package import TollkeyCore

/// The calls that one provider's credentials need: written, sent, and answered. Each blocks its thread, for a bounded
/// time.
package struct ProviderCalls: Sendable {
    let provider: ProviderSettings
    /// As they stand now.
    let secrets: [String: Secret]
    let client: CallClient
    let clock: Clock
    /// They count like everybody's.
    let quotas: ProviderQuotas?

    package init(
        provider: ProviderSettings, secrets: [String: Secret], client: CallClient, clock: Clock,
        quotas: ProviderQuotas? = nil
    ) {
        self.provider = provider
        self.secrets = secrets
        self.client = client
        self.clock = clock
        self.quotas = quotas
    }

    /// From beginning to end.
    static let timeout: Duration = .seconds(30)

    /// Why there is no answer, in words for a person that hold no secret.
    struct Fault: Error {
        /// False: certainly nothing has reached the provider.
        let wasSent: Bool
        let words: String
        /// A limit is in the way, for so long.
        var limited: Duration?
    }

    /// An answer and the moment before it was asked for.
    struct Answered {
        let answer: TokenAnswer
        let asked: Moment
    }

    /// `snapshot` has the headers for calls that are authenticated like those of clients. Under a `lock` nothing is sent
    /// that could outlast it.
    func perform(
        _ call: CallSettings, inputs: [String: Secret] = [:], snapshot: CredentialSnapshot? = nil,
        under lock: (any RecordLock)? = nil
    ) throws(Fault) -> Answered {
        guard let quotas else { return try send(call, inputs, snapshot, under: lock, with: nil) }
        let rendered = try render(call, inputs, snapshot)
        return try quotas.withPermit(for: rendered, upstream: provider.upstream) { permit throws(Fault) in
            try send(call, inputs, snapshot, under: lock, with: permit)
        }
    }

    /// The call is rendered anew: it may have waited, and there may be times in it.
    private func send(
        _ call: CallSettings, _ inputs: [String: Secret], _ snapshot: CredentialSnapshot?,
        under lock: (any RecordLock)?, with permit: OwnCallPermit?
    ) throws(Fault) -> Answered {
        let asked = clock.now
        let outgoing = outgoing(try render(call, inputs, snapshot))
        if let lock, !lock.allowsCall {
            throw Fault(wasSent: false, words: "it took too long until the call could begin")
        }
        try permit?.spend()
        switch client.perform(outgoing) {
        case .success(let answer):
            let answer = TokenAnswer(answer)
            permit?.answered(answer, asked: asked)
            return Answered(answer: answer, asked: asked)
        case .failure(let fault): throw Fault(wasSent: fault.wasSent, words: fault.description)
        }
    }

    private func render(
        _ call: CallSettings, _ inputs: [String: Secret], _ snapshot: CredentialSnapshot?
    ) throws(Fault) -> RenderedCall {
        let now = clock.now.wall
        do throws(RenderingError) {
            var filler = TemplateFiller(
                ValuePlan(provider.values), secrets: secrets, credentials: [:], inputs: inputs,
                now: now, cryptography: SystemCryptography())
            var rendered = try filler.render(call, for: provider)
            if rendered.isAuthenticated, let snapshot {
                try snapshot.authenticate(&rendered, upstream: provider.upstream, now: now)
            }
            return rendered
        } catch {
            throw Fault(wasSent: false, words: "the call cannot be written: \(error.words)")
        }
    }

    private func outgoing(_ rendered: RenderedCall) -> OutgoingCall {
        var call: OutgoingCall
        switch rendered.place {
        case .upstream:
            call = OutgoingCall(method: rendered.method, url: provider.upstream, target: rendered.target)
            call.addresses = provider.addresses
            call.tls = provider.tls
        case .elsewhere(let url):
            call = OutgoingCall(method: rendered.method, url: url, target: rendered.target)
            call.tls = provider.tls
            call.tls.serverName = nil
        }
        call.fields = rendered.headers.map { OutgoingCall.Field(name: $0.name, value: $0.value) }
        if let type = rendered.contentType {
            call.fields.append(OutgoingCall.Field(name: "Content-Type", value: Secret(type)))
        }
        if !rendered.has(header: "Accept") {
            call.fields.append(OutgoingCall.Field(name: "Accept", value: Secret("application/json")))
        }
        call.content = rendered.content
        call.connectTimeout = provider.timeouts.connect + provider.timeouts.tls
        call.wholeTimeout = min(Self.timeout, provider.timeouts.whole ?? Self.timeout)
        return call
    }
}

extension TokenAnswer {
    init(_ answer: CallAnswer) {
        self.init(
            status: answer.status,
            fields: answer.fields.map { field in
                AnswerField(field.name, field.value.reveal { String(decoding: $0, as: UTF8.self) })
            }, content: answer.content)
    }
}

extension SystemCryptography: Cryptography {}
