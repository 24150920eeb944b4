import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What a proxy leaves behind: nothing.
    struct DescriptorTests {
        @Test func `a proxy that was started and drained leaves no descriptor`() async throws {
            try await expectNothingLeft { proxy, _ in
                let answer = try proxy.answer(to: "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
                #expect(answer.status == 404)
            }
        }

        @Test func `calls to a name leave no descriptor`() async throws {
            try await expectNothingLeft(host: "localhost") { proxy, upstream in
                let client = try proxy.connect(sending: get("/"))
                let connection = try upstream.accept()
                _ = try connection.request()
                try connection.send(ok())
                #expect(try client.answer().status == 200)
            }
        }

        @Test func `clients that hang up everywhere leave no descriptor`() async throws {
            try await expectNothingLeft { proxy, upstream in
                for round in 0..<20 {
                    let isReset = round % 2 == 0
                    func leave(_ client: RawConnection) {
                        if isReset { client.reset() } else { client.close() }
                    }
                    leave(try proxy.connect())
                    leave(try proxy.connect(sending: "GET /ac"))
                    let upload = try proxy.connect(
                        sending: "PUT /acme/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
                    let connection = try upstream.accept()
                    _ = try connection.exactly(10)
                    leave(upload)
                    let download = try proxy.connect(sending: get("/"))
                    let other = try upstream.accept()
                    _ = try other.request()
                    try other.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
                    _ = try download.through("hello")
                    download.reset()
                    #expect(try connection.exactly(1).count == 1 && other.hasEnded())
                }
            }
        }

        /// Runs `body` with a proxy of its own, drains it, and compares the process's sockets, event queues and
        /// counters before and after.
        private func expectNothingLeft(
            host: String = "127.0.0.1", at location: SourceLocation = #_sourceLocation,
            _ body: (Proxy, RawUpstream) throws -> Void
        ) async throws {
            let before = ProcessFacts.descriptors()
            do {
                let upstream = try RawUpstream()
                let proxy = try Proxy(.plain(upstream.port, host: host))
                defer { proxy.stop() }
                try body(proxy, upstream)
            }
            // Each thread lets go of its own when it ends, which nobody is told.
            var left = ["?"]
            for _ in 0..<1_000 where !left.isEmpty {
                await Task.yield()
                left = ProcessFacts.descriptors()
                for known in before { left.firstIndex(of: known).map { _ = left.remove(at: $0) } }
            }
            #expect(left == [], sourceLocation: location)
        }
    }
}
