import Testing
import TollkeyCore

struct AdmissionTests {
    private func decide(
        _ head: String, peer: Admission.Peer? = nil, _ change: (inout ProviderSettings) -> Void = { _ in }
    ) throws -> Admission.Verdict {
        var settings = Settings()
        settings.hosts = ["payments.internal"]
        settings.origins = ["https://shop.example"]
        settings.providers = [ProviderSettings(name: "other", upstream: acme().upstream), acme(change)]
        return Admission(settings, hostNames: ["192.0.2.7"]).decide(
            try request(head), bytes(head).span, peer: peer)
    }

    private func words(_ verdict: Admission.Verdict) -> String {
        switch verdict {
        case .admitted(let match): "\(match.route) \(match.prefixLength)"
        case .refused(let failure, let route): failure.kind.rawValue + (route.map { " of \($0)" } ?? "")
        }
    }

    private func acme(_ change: (inout ProviderSettings) -> Void = { _ in }) -> ProviderSettings {
        TollkeyCoreTests.acme(.https, "api.acme.test", change)
    }

    @Test(arguments: ["localhost", "127.0.0.1:8080", "payments.internal", "192.0.2.7:80"])
    func `a call under a name of this proxy is admitted`(_ host: String) throws {
        #expect(words(try decide("GET /acme/x HTTP/1.1\r\nHost: \(host)\r\n\r\n")) == "1 5")
        #expect(words(try decide("GET /other HTTP/1.1\r\nHost: \(host)\r\n\r\n")) == "0 6")
    }

    /// From a call that breaks every rule to one that breaks none: the first broken rule is the answer.
    @Test func `the checks stand in their order`() throws {
        func verdict(
            _ method: String, _ path: String, _ host: String, _ page: String, _ peer: Admission.Peer?,
            _ length: Int
        ) throws -> String {
            let head = """
                \(method) http://localhost\(path) HTTP/1.1\r\nHost: \(host)\r\n\(page)Content-Length: \(length)\r\n\r\n
                """
            return words(
                try decide(head, peer: peer) {
                    $0.peers = PeerRule()
                    $0.peers?.uids = [7]
                    $0.allow = [try? CallPattern("GET /x")].compactMap(\.self)
                    $0.body.max = 10
                })
        }
        let page = "Origin: https://evil.test\r\n"
        let peer = Admission.Peer(uid: 7, gid: 0)
        #expect(try verdict("TRACE", "/none", "evil", page, nil, 11) == "forbidden-host")
        #expect(try verdict("TRACE", "/none", "127.0.0.1", page, nil, 11) == "bad-request")
        #expect(try verdict("TRACE", "/none", "localhost", page, nil, 11) == "forbidden-origin")
        #expect(try verdict("TRACE", "/none", "localhost", "", nil, 11) == "no-route")
        #expect(try verdict("TRACE", "/acme/y", "localhost", "", nil, 11) == "forbidden-peer of 1")
        #expect(try verdict("TRACE", "/acme/y", "localhost", "", peer, 11) == "not-allowed of 1")
        #expect(try verdict("GET", "/acme/y", "localhost", "", peer, 11) == "not-allowed of 1")
        #expect(try verdict("GET", "/acme/x", "localhost", "", peer, 11) == "body-too-large of 1")
        #expect(try verdict("GET", "/acme/x", "localhost", "", peer, 10) == "1 5")
    }

    @Test(
        arguments: [
            (Admission.Peer(uid: 7, gid: 1), true), (Admission.Peer(uid: 1, gid: 8), true),
            (Admission.Peer(uid: 7, gid: 8), true), (Admission.Peer(uid: 8, gid: 7), false),
            (Admission.Peer(uid: 0, gid: 0), false), (nil, false),
        ] as [(Admission.Peer?, Bool)])
    func `a listed uid or gid passes, and nobody who cannot be known`(_ peer: Admission.Peer?, _ passes: Bool)
        throws
    {
        let verdict = try decide("GET /acme HTTP/1.1\r\nHost: localhost\r\n\r\n", peer: peer) {
            $0.peers = PeerRule()
            $0.peers?.uids = [7]
            $0.peers?.gids = [8]
        }
        #expect(words(verdict) == (passes ? "1 5" : "forbidden-peer of 1"))
    }

    @Test func `an empty peer rule lets nobody in, and no rule everybody`() throws {
        let head = "GET /acme HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let peer = Admission.Peer(uid: 0, gid: 0)
        #expect(words(try decide(head, peer: peer) { $0.peers = PeerRule() }) == "forbidden-peer of 1")
        #expect(words(try decide(head, peer: peer)) == "1 5")
    }

    @Test(arguments: ["TRACE", "CONNECT"])
    func `TRACE and CONNECT are never admitted`(_ method: String) throws {
        let verdict = try decide("\(method) /acme/x HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            $0.allow = [try? CallPattern("* /**")].compactMap(\.self)
        }
        #expect(words(verdict) == "not-allowed of 1")
        #expect(words(try decide("\(method)S /acme HTTP/1.1\r\nHost: localhost\r\n\r\n")) == "1 5")
    }

    @Test(arguments: [
        ("GET /acme/reports/1", true), ("GET /acme/reports", true), ("POST /acme/payments", true),
        ("GET /acme/reports?x=/payments", true), ("POST /acme/reports", false), ("GET /acme/payments", false),
        ("GET /reports/1", false), ("GET /acme/acme/reports", false), ("GET /acme/%72eports", false),
        ("GET /acme//reports", false), ("GET /acme", false),
    ])
    func `'allow' is about the path behind the route`(_ call: String, _ isAllowed: Bool) throws {
        let verdict = try decide("\(call) HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            $0.allow = ["GET /reports/**", "POST /payments"].compactMap { try? CallPattern($0) }
        }
        #expect(
            words(verdict) == (isAllowed ? "1 5" : call.contains("/acme") ? "not-allowed of 1" : "no-route"))
    }

    @Test func `an empty 'allow' lets nothing through`() throws {
        #expect(
            words(try decide("GET /acme HTTP/1.1\r\nHost: localhost\r\n\r\n") { $0.allow = [] })
                == "not-allowed of 1")
    }

    private func scopes(_ scopes: KeyValuePairs<String, [String]>) -> [ScopeSettings] {
        scopes.map { name, calls in
            ScopeSettings(name: name, calls: calls.compactMap { try? CallPattern($0) })
        }
    }

    @Test(arguments: [
        ("GET /acme/orders", true), ("GET /acme/orders/7", true), ("POST /acme/products", true),
        ("POST /acme/orders", false), ("DELETE /acme/products", false), ("GET /acme", false),
    ])
    func `calls that no scope of the token opens are refused here`(_ call: String, _ isOpen: Bool) throws {
        let verdict = try decide("\(call) HTTP/1.1\r\nHost: localhost\r\n\r\n") {
            $0.scopes = scopes(["orders:read": ["GET /orders/**"], "products:write": ["POST /products"]])
        }
        #expect(words(verdict) == (isOpen ? "1 5" : "not-allowed of 1"))
        if case .refused(let failure, _) = verdict {
            #expect(
                failure.detail == "The token's scopes (orders:read, products:write) do not open this call.")
        }
    }

    @Test func `scopes are looked at behind 'allow', and open nothing that it does not`() throws {
        func verdict(_ call: String) throws -> Admission.Verdict {
            try decide("\(call) HTTP/1.1\r\nHost: localhost\r\n\r\n") {
                $0.allow = ["GET /a", "GET /b"].compactMap { try? CallPattern($0) }
                $0.scopes = scopes(["s": ["GET /b", "GET /c"]])
            }
        }
        for (call, expected) in [("GET /acme/a", "scopes"), ("GET /acme/c", "allow")] {
            guard case .refused(let failure, _) = try verdict(call) else {
                Issue.record("admitted")
                continue
            }
            #expect(failure.kind == .notAllowed && failure.detail.contains(expected))
        }
        #expect(words(try verdict("GET /acme/b")) == "1 5")
    }

    @Test func `a token without scopes opens nothing, one whose scopes nobody knows everything`() throws {
        let head = "GET /acme HTTP/1.1\r\nHost: localhost\r\n\r\n"
        #expect(
            try decide(head) { $0.scopes = [] }
                == .refused(
                    Failure(.notAllowed, "The token has no scopes, so that it opens no call."), route: 1))
        #expect(words(try decide(head)) == "1 5")
    }

    @Test func `an answer names a bounded number of scopes`() throws {
        for (count, isCut) in [(Admission.scopesNamedMax, false), (Admission.scopesNamedMax + 1, true)] {
            let verdict = try decide("GET /acme HTTP/1.1\r\nHost: localhost\r\n\r\n") {
                $0.scopes = (0..<count).map { ScopeSettings(name: "s\($0)", calls: []) }
            }
            guard case .refused(let failure, _) = verdict else {
                Issue.record("admitted")
                continue
            }
            #expect(failure.detail.contains("s19") && failure.detail.contains(", …)") == isCut)
        }
    }

    @Test(arguments: ["*", "/", "/Acme", "/acmes", "//acme"])
    func `a path that leads nowhere has no route`(_ target: String) throws {
        #expect(words(try decide("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n")) == "no-route")
    }

    @Test func `a chunked call is admitted, whose size nobody knows yet`() throws {
        let verdict = try decide(
            "POST /acme HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        ) {
            $0.body.max = 0
        }
        #expect(words(verdict) == "1 5")
    }

    @Test func `a refusal says what to do and names the provider`() throws {
        let verdict = try decide("GET /acme HTTP/1.1\r\nHost: localhost\r\n\r\n") { $0.allow = [] }
        guard case .refused(let failure, _) = verdict else {
            Issue.record("admitted")
            return
        }
        #expect(failure.detail == "The 'allow' list of provider acme has no pattern for this call.")
        #expect(failure.mayHaveBeenProcessed == nil)
    }
}
