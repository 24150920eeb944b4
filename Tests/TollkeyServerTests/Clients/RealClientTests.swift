import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Clients that people use.
    struct RealClientTests {
        private static let hasCurl = Program.isThere(["curl", "--version"])
        private static let hasRequests = Program.isThere(["python3", "-c", "import requests"])

        /// Runs curl against the sandbox's Piaxis; its output and the status in a line of its own.
        private func curl(_ arguments: [String], _ path: String, _ check: (String, Stage) throws -> Void)
            async throws
        {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let url = "http://127.0.0.1:\(proxy.port)/acme\(path)"
                let outcome = try Program.run(
                    ["curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}"] + arguments + [url])
                #expect(outcome.status == 0, "\(outcome.text)")
                try check(outcome.text, stage)
            }
        }

        @Test(.enabled(if: hasCurl, "curl is not installed"))
        func `curl gets`() async throws {
            try await curl([], "/sandbox/echo?a=b") { text, stage in
                #expect(text.hasSuffix("\n200"))
                let request = try #require(stage.requests.first)
                #expect(request.method == "GET" && request.target == "/sandbox/echo?a=b")
            }
        }

        @Test(.enabled(if: hasCurl, "curl is not installed"))
        func `curl posts`() async throws {
            try await curl(["-d", #"{"amount":5}"#], "/api/payments/create") { text, stage in
                #expect(text.hasSuffix("\n201"), "\(text)")
                let request = try #require(stage.requests.first)
                #expect(request.bodyPrefix == Array(#"{"amount":5}"#.utf8))
            }
        }

        @Test(.enabled(if: hasCurl, "curl is not installed"))
        func `curl uploads in chunks, with an expectation`() async throws {
            let folder = try TemporaryFolder()
            let file = try folder.write(String(repeating: "0123456789", count: 300_000), to: "upload")
            let arguments = ["-T", file, "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]
            try await curl(arguments, "/sandbox/sink") { text, stage in
                #expect(text == "{\"received\":3000000}\n200")
                let request = try #require(stage.requests.first)
                #expect(request.values(of: "Transfer-Encoding") == ["chunked"])
            }
        }

        @Test(.enabled(if: hasCurl, "curl is not installed"))
        func `curl downloads over HTTP/1.0`() async throws {
            try await curl(["--http1.0"], "/sandbox/bytes/100000?chunked") { text, stage in
                #expect(text == String(repeating: "t", count: 100_000) + "\n200")
            }
        }

        @Test(.enabled(if: hasCurl, "curl is not installed"))
        func `curl keeps its connection for several calls`() async throws {
            try await curl(["-d", "x=1", "-w", "\n%{num_connects}\n"], "/sandbox/sink?[1-5]") { text, stage in
                let connects = text.split(separator: "\n").filter { !$0.hasPrefix("{") }
                #expect(connects == ["1", "0", "0", "0", "0"], "\(text)")
                #expect(stage.requests.count == 5)
            }
        }

        @Test(.enabled(if: hasRequests, "python3 with its package 'requests' is not installed"))
        func `a session of Python's requests makes 50 calls over one connection`() async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis)
                defer { proxy.stop() }
                let script = """
                    import requests
                    session = requests.Session()
                    session.trust_env = False
                    base = "http://127.0.0.1:\(proxy.port)/acme"
                    for i in range(25):
                        answer = session.get(base + "/sandbox/echo", params={"i": i})
                        assert answer.status_code == 200, (i, answer.status_code, answer.text)
                        answer = session.post(base + "/sandbox/sink", data="x" * (i + 1))
                        assert answer.json() == {"received": i + 1}, (i, answer.status_code, answer.text)
                    print(sum(pool.num_connections for pool in map(session.get_adapter(base).poolmanager.pools.get,
                        session.get_adapter(base).poolmanager.pools.keys())))
                    """
                let outcome = try Program.run(["python3", "-c", script])
                #expect(outcome.status == 0 && outcome.text == "1\n", "\(outcome.text)")
                #expect(stage.requests.count == 50)
                #expect(Set(stage.requests.map(\.connection)).count == 1)
            }
        }
    }
}
