import TollkeySandbox

/// What the demo shows to a person.
struct Page: Sendable {
    let ink: Ink

    private static let labelWidth = 13
    private static let bodyCharactersMax = 240

    // MARK: Calls

    func showTitle() {
        Console.write(
            """

            \(ink.bold("Five calls through Tollkey: as the application sends them, and as they arrive."))
            \(ink.green("+")) added by Tollkey   \(ink.yellow("~")) changed by it   credentials are cut to three characters
            """)
    }

    func show(
        _ call: DemoCall, from address: LoopbackAddress, arrival: RecordedRequest?,
        _ reply: ProxyClient.Reply
    ) {
        let sent = call.headers(to: address)
        Console.write("\n\(ink.bold(call.provider.rawValue))")
        showSent(call, sent)
        if let arrival {
            row("provider", mark: " ", arrival.maskedRequestLine)
            for line in arrival.maskedHeaders {
                row("", mark: mark(for: line, sent), "\(line.name): \(line.value)")
            }
        } else {
            row("provider", ink.red("nothing arrived"))
        }
        showReply("answer", reply)
    }

    func showRefusal(
        _ call: DemoCall, from address: LoopbackAddress, hasArrived: Bool, _ reply: ProxyClient.Reply
    ) {
        Console.write(
            "\n\(ink.bold("a refused call"))  from a web page whose name was made to point at this machine")
        showSent(call, call.headers(to: address))
        row("provider", hasArrived ? ink.red("it arrived, and should not have") : "nothing arrived")
        showReply("answer", reply, headers: ["Content-Type", "Tollkey-Problem"])
    }

    func showViolation(_ violation: Violation) {
        Console.write(ink.red("the sandbox has seen what a proxy must not send: \(violation)"))
    }

    private func showSent(_ call: DemoCall, _ headers: [(name: String, value: String)]) {
        row("application", "\(call.method) \(call.target) HTTP/1.1")
        for (name, value) in headers { row("", "\(name): \(value)") }
    }

    private func showReply(_ label: String, _ reply: ProxyClient.Reply, headers: [String] = []) {
        let status = "\(reply.status) \(reply.reason)"
        row(label, reply.status < 400 ? ink.green(status) : ink.yellow(status))
        for name in headers {
            if let value = reply.header(name) { row("", "\(name): \(value)") }
        }
        let line = reply.body.prefix { !$0.isNewline }
        if !line.isEmpty {
            row(
                "",
                ink.faint(
                    line.prefix(Self.bodyCharactersMax) + (line.count > Self.bodyCharactersMax ? "…" : "")))
        }
    }

    private func mark(for line: HeaderLine, _ sent: [(name: String, value: String)]) -> String {
        guard let own = sent.first(where: { $0.name.lowercased() == line.name.lowercased() }) else {
            return ink.green("+")
        }
        return own.value == line.value ? " " : ink.yellow("~")
    }

    private func row(_ label: String, mark: String = " ", _ text: String) {
        let padding = String(repeating: " ", count: max(0, Self.labelWidth - label.count))
        Console.write("  \(ink.faint(label))\(padding)\(mark) \(text)")
    }

    // MARK: Afterwards

    func showWhatToTry(listen: LoopbackAddress, proxy: String, files: DemoFiles, controlPort: Int) {
        let explain = "\(proxy) explain GET /pixlpay/products --config \(files.configuration)"
        Console.write(
            """

            \(ink.bold("Now you, from another terminal. No line holds a secret."))

            \(DemoCall.all.map { "  " + $0.curl(to: listen) }.joined(separator: "\n"))

            \(ink.faint("A provider that is slow; others: reset, stall, close-mid-body, garbage, unauthorized, rate-limited=30"))
              curl -i -H 'X-Sandbox-Fault: slow-head=2000' 'http://\(listen)/pixlpay/products'

            \(ink.faint("JPay takes all its tokens back: the next call is answered all the same, after one login"))
              curl -X POST 'http://127.0.0.1:\(controlPort)/revoke/jpay'

            \(Self.operators(files, proxy, ink))
            \(ink.faint("Which provider, rule and headers a call would get, without sending it"))
              env $(cat \(files.secrets)) \(explain)

            \(ink.faint("What has arrived at a provider, masked"))
              curl 'http://127.0.0.1:\(controlPort)/requests?provider=piaxis'

            \(ink.faint("The configuration is")) \(files.configuration)

            \(ink.bold("Running on http://\(listen). Ctrl-C stops all.")) One line for each call that reaches a provider:
            """)
    }

    private static func operators(_ files: DemoFiles, _ proxy: String, _ ink: Ink) -> String {
        guard let admin = files.admin else { return "" }
        return """
            \(ink.faint("How it stands: in a browser http://\(admin)/, or"))
              \(proxy) status --admin \(admin)

            """
    }

    static func line(for exchange: Exchange) -> String {
        let status = exchange.status.map(String.init) ?? "no answer"
        let name = exchange.provider.rawValue
        let padding = String(repeating: " ", count: max(1, 9 - name.count))
        return "\(name)\(padding)\(exchange.method) \(exchange.path)  \(status)"
    }
}
