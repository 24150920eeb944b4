import Testing
import TollkeyCore

/// How our span reaches the provider as the parent of its own.
struct RequestRewriterTraceTests {
    private let client = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    private let ours = "00-0af7651916cd43dd8448eb211c80319c-00000000000000ff-01"

    /// What is written between the `Host` line and the `Via` line.
    private func fields(
        _ lines: String, _ trace: TraceContext?, _ provider: ProviderSettings = acme()
    ) throws -> String {
        let text = "GET /acme HTTP/1.1\r\nHost: a\r\n\(lines)\r\n"
        let head = try request(text)
        let credential = CredentialSnapshot(
            generation: 1, headers: provider.inject, defaults: provider.defaults, secrets: [:])
        let all = try written {
            try RequestRewriter(provider, pseudonym: "p").write(
                head, bytes(text).span, prefixLength: 5, credential: credential, trace: trace, into: $0)
        }
        return String(
            all.dropFirst("GET / HTTP/1.1\r\nHost: api.acme.test\r\n".count).dropLast(
                "Via: 1.1 p\r\n\r\n".count))
    }

    private var child: TraceContext? { TraceContext(bytes(client).span)?.child(span: 0xff) }

    @Test func `without a trace of ours the client's fields pass untouched`() throws {
        for lines in [
            "TraceParent:  \(client) \r\ntracestate: a=1,b=2\r\n", "traceparent: nonsense\r\n",
            "traceparent: \(client)\r\nA: b\r\ntraceparent: \(client)\r\n", "tracestate: a=1\r\n",
        ] {
            #expect(try fields(lines, nil) == lines)
        }
    }

    @Test func `our span takes the parent's place, and the state passes`() throws {
        let lines = "A: 1\r\nTraceparent: \(client)\r\nB: 2\r\nTracestate: a=1\r\ntracestate: b=2\r\n"
        let expected = "A: 1\r\nB: 2\r\nTracestate: a=1\r\ntracestate: b=2\r\ntraceparent: \(ours)\r\n"
        #expect(try fields(lines, child) == expected)
    }

    @Test(arguments: ["", "traceparent: x\r\ntracestate: a=1\r\n", "TRACESTATE: a=1\r\n"])
    func `a trace that begins here goes without a state of another`(_ lines: String) throws {
        let root = TraceContext.root(
            0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c, span: 0xff, isSampled: true)
        #expect(try fields("A: 1\r\n" + lines, root) == "A: 1\r\ntraceparent: \(ours)\r\n")
    }

    @Test func `all of several invalid ones go`() throws {
        #expect(
            try fields("traceparent: \(client)\r\ntraceparent: \(client)\r\n", child)
                == "traceparent: \(ours)\r\n")
    }

    @Test func `Connection cannot take ours away`() throws {
        let lines = "Connection: traceparent, tracestate\r\ntraceparent: \(client)\r\ntracestate: a=1\r\n"
        #expect(try fields(lines, child) == "traceparent: \(ours)\r\n")
    }

    @Test func `a provider's own settings win`() throws {
        let injecting = acme { $0.inject = [InjectedHeader("Traceparent", "theirs")] }
        #expect(
            try fields("traceparent: \(client)\r\n", child, injecting) == "Traceparent: theirs\r\n")
        let defaulting = acme { $0.defaults = [InjectedHeader("Traceparent", "theirs")] }
        #expect(try fields("", child, defaulting) == "Traceparent: theirs\r\n")
        #expect(
            try fields("traceparent: \(client)\r\n", child, defaulting) == "traceparent: \(client)\r\n")
    }
}
