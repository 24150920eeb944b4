import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What a reload makes of the exporter of spans.
    struct SpanRetirementTests {
        private let collector: RawUpstream

        init() throws { collector = try RawUpstream() }

        /// Nobody is called but the collector, at this path.
        private func traced(_ path: String) -> Settings {
            Settings(to: []).administered.with {
                $0.traces = TraceSettings(
                    endpoint: UpstreamURL(
                        scheme: .http, host: "127.0.0.1", port: collector.port, basePath: path))
            }
        }

        private var threads: Int { ProcessFacts.threads(named: "tollkey-spans") }

        @Test func `a refused reload leaves no exporter behind`() throws {
            let proxy = try Proxy(traced("/one"))
            defer { proxy.stop() }
            #expect(comesTrue { threads == 1 })
            for round in 0..<4 {
                let refused = traced("/\(round)").with {
                    if round % 2 == 0 {
                        $0.listeners = [.tcp(host: "127.0.0.1", port: collector.port)]
                    } else {
                        $0.providers = [.secure(collector.port, ca: "/nowhere/ca.pem")]
                    }
                }
                #expect(throws: StartFailure.self) { try proxy.server.reload(refused) }
            }
            #expect(comesTrue { threads == 1 }, "\(threads) threads")
            try proxy.server.reload(traced("/two"))
            #expect(comesTrue { threads == 1 }, "\(threads) threads")
            try proxy.server.reload(Settings(to: []))
            #expect(comesTrue { threads == 0 }, "\(threads) threads")
        }

        @Test func `what earlier exporters have dropped stays counted, also while the last spans are sent`()
            throws
        {
            let proxy = try Proxy(traced("/one"))
            defer { proxy.stop() }
            let client = try proxy.connect()
            for _ in 0..<SpanExporter.batchMax + 2 {
                try client.send("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(try client.answer().status == 404)
            }
            func dropped() throws -> Double { try proxy.metric("tollkey_spans_dropped_total") ?? -1 }
            let refused = try collector.accept()
            _ = try refused.request()
            try refused.send("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
            let all = Double(SpanExporter.batchMax)
            #expect(try comesTrue { try dropped() == all })
            try proxy.server.reload(Settings(to: []).administered)
            let last = try collector.accept()
            _ = try last.request()
            #expect(try dropped() == all)
            try last.send(ok("{}"))
            #expect(comesTrue { threads == 0 })
            #expect(try dropped() == all)
        }
    }
}
