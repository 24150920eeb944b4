import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Whom the proxy believes to be the provider.
    struct TLSTests {
        @Test(arguments: [
            (WrongCertificate.expired, "expired"), (.notYetValid, "not yet valid"),
            (.wrongHost, "hostname mismatch"), (.unknownAuthority, "issuer"),
        ])
        func `no byte of a call goes to a server with a wrong certificate`(
            _ certificate: WrongCertificate, _ reason: String
        ) async throws {
            try await withStage { stage in
                let proxy = try Proxy(stage.piaxis(port: stage.sandbox.port(of: certificate)))
                defer { proxy.stop() }
                for request in [get("/sandbox/echo"), post("/sandbox/sink", "pay")] {
                    let problem = try expectProblem(
                        proxy.answer(to: request), 502, "upstream-tls", mayHaveBeenProcessed: false)
                    #expect(problem.detail.contains(reason), "\(problem.detail)")
                    #expect(problem.detail.contains("localhost"))
                }
                #expect(stage.sandbox.record.count(of: .piaxis) == 0)
            }
        }

        enum Flaw: CaseIterable { case weakKey, wrongUsage, clientUsage, missingIntermediate }

        private static func identity(_ flaw: Flaw, _ authority: CertificateAuthority) throws -> Identity {
            switch flaw {
            case .weakKey: try authority.issue(hosts: ["localhost"], key: .weakRSA)
            case .wrongUsage: try authority.issue(hosts: ["localhost"], usage: .wrong)
            case .clientUsage: try authority.issue(hosts: ["localhost"], usage: .client)
            case .missingIntermediate:
                try authority.intermediate(commonName: "Between", inChain: false).issue(hosts: ["localhost"])
            }
        }

        @Test(arguments: zip(Flaw.allCases, ["too weak", "purpose", "purpose", "issuer"]))
        func `no byte of a call goes to a server whose certificate is flawed`(
            _ flaw: Flaw, _ reason: String
        ) async throws {
            try await withStage { stage in
                let identity = try Self.identity(flaw, stage.sandbox.authority)
                try await withScripts([[]], identity: identity) { upstream in
                    let proxy = try Proxy(.secure(upstream.port, ca: stage.ca))
                    defer { proxy.stop() }
                    let problem = try expectProblem(
                        proxy.answer(to: post("/", "pay")), 502, "upstream-tls", mayHaveBeenProcessed: false)
                    #expect(problem.detail.contains(reason), "\(problem.detail)")
                    try await upstream.closed(connection: 0)
                    #expect(upstream.receivedSoFar(connection: 0) == [])
                }
            }
        }

        @Test func `a chain with its intermediate authority is believed`() async throws {
            try await withStage { stage in
                let between = try stage.sandbox.authority.intermediate(commonName: "Between")
                let identity = try between.issue(hosts: ["localhost"])
                try await withScripts([[.readHead, .send(ok())]], identity: identity) { upstream in
                    let proxy = try Proxy(.secure(upstream.port, ca: stage.ca))
                    defer { proxy.stop() }
                    #expect(try proxy.answer(to: get("/")).text == "hello")
                }
            }
        }

        @Test func `a literal address must stand in the certificate`() async throws {
            try await withStage { stage in
                let authority = stage.sandbox.authority
                for (hosts, isGood) in [(["127.0.0.1"], true), (["localhost"], false)] {
                    let identity = try authority.issue(hosts: hosts)
                    try await withScripts([[.readHead, .send(ok())]], identity: identity) { upstream in
                        var provider = ProviderSettings.secure(upstream.port, ca: stage.ca)
                        provider.upstream.host = "127.0.0.1"
                        let proxy = try Proxy(provider)
                        defer { proxy.stop() }
                        let answer = try proxy.answer(to: get("/"))
                        #expect(answer.status == (isGood ? 200 : 502), "\(answer.text)")
                    }
                }
            }
        }

        @Test func `'server_name' is what the certificate must be valid for`() async throws {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["api.acme.test"])
                try await withScripts([[.readHead, .send(ok())]], identity: identity) { upstream in
                    var provider = ProviderSettings.secure(upstream.port, ca: stage.ca)
                    provider.tls.serverName = "api.acme.test"
                    let proxy = try Proxy(provider)
                    defer { proxy.stop() }
                    #expect(try proxy.answer(to: get("/")).text == "hello")
                }
            }
        }

        /// Its first words may come together with the news that the connection is open, hence the repetition.
        @Test func `a server that speaks before it is asked is no TLS server`() throws {
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.upstream.scheme = .https
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            for _ in 0..<50 {
                let client = try proxy.connect(sending: get("/"))
                let connection = try upstream.accept()
                try connection.send("220 mail.acme.test ESMTP\r\n")
                try proxy.settle()
                try #require(!client.isQuiet, "the server's words were not read")
                try expectProblem(client.answer(), 502, "upstream-tls", mayHaveBeenProcessed: false)
            }
        }

        @Test func `a server that hangs up before the handshake's end has broken TLS`() throws {
            let upstream = try RawUpstream()
            var provider = ProviderSettings.plain(upstream.port)
            provider.upstream.scheme = .https
            let proxy = try Proxy(provider)
            defer { proxy.stop() }
            for _ in 0..<50 {
                let client = try proxy.connect(sending: get("/"))
                try upstream.accept().close()
                try expectProblem(client.answer(), 502, "upstream-tls", mayHaveBeenProcessed: false)
            }
        }

        @Test(arguments: [true, false])
        func `a provider that asks for a client certificate gets the configured one`(_ isGiven: Bool)
            async throws
        {
            try await withStage { stage in
                let authority = stage.sandbox.authority
                let own = try authority.issue(hosts: ["tollkey.test"], usage: .client)
                let server = try await TLSServer.start(
                    authority.issue(hosts: ["localhost"]), clientsOf: authority.pem)
                var provider = ProviderSettings.secure(server.port, ca: stage.ca)
                if isGiven {
                    provider.tls.certificate = try stage.folder.write(own.chain, to: "own.pem")
                    provider.tls.key = try stage.folder.write(own.key, to: "own.key")
                }
                let proxy = try Proxy(provider)
                let answer = try proxy.answer(to: post("/", "pay"))
                proxy.stop()
                try await server.shutdown()
                if isGiven { #expect(answer.text == "hello") } else { #expect(answer.status == 502) }
                #expect(server.hasReceived == isGiven)
            }
        }

        @Test(arguments: [TLSSettings.Version.tls12, .tls13])
        func `a provider below the least version is not spoken to`(_ least: TLSSettings.Version) async throws
        {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["localhost"])
                let server = try await TLSServer.start(identity, speaksOnlyTLS12: true)
                var provider = ProviderSettings.secure(server.port, ca: stage.ca)
                provider.tls.leastVersion = least
                let proxy = try Proxy(provider)
                let answer = try proxy.answer(to: get("/"))
                proxy.stop()
                try await server.shutdown()
                if least == .tls12 {
                    #expect(answer.text == "hello")
                } else {
                    try expectProblem(answer, 502, "upstream-tls", mayHaveBeenProcessed: false)
                }
                #expect(server.hasReceived == (least == .tls12))
            }
        }

        @Test func `TLS files that cannot be used keep the proxy from starting, and are named`() throws {
            let upstream = try RawUpstream()
            let folder = try TemporaryFolder()
            let file = try folder.write("no certificate", to: "ca.pem")
            for ca in [file, folder.path + "/missing.pem"] {
                let failure = #expect(throws: StartFailure.self) {
                    try Proxy(.secure(upstream.port, ca: ca))
                }
                #expect(failure?.description.contains(ca) == true)
            }
        }
    }
}
