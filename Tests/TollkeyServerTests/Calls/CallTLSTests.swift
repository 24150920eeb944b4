import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Whom a call tells its secrets.
    struct CallTLSTests {
        @Test func `a login over TLS brings a token`() async throws {
            try await withStage { stage in
                try await withCalls { client in
                    let own = SandboxCredentials()
                    let content =
                        #"{"client_id":"\#(own.tezpayClientID)","client_secret":"\#(own.tezpayClientSecret)"}"#
                    let call = OutgoingCall.secure(stage.sandbox.port(of: .tezpay), ca: stage.ca).with {
                        $0.target = Secret("/api/v1/tezpay/authenticate")
                        $0.fields = [.init(name: "Content-Type", value: Secret("application/json"))]
                        $0.content = Secret(content)
                    }
                    let answer = try client.perform(call).get()
                    #expect(answer.status == 200 && answer.content.text.contains(#""access_token":"#))
                    let requests = stage.sandbox.record.requests(of: .tezpay)
                    #expect(requests.map(\.bodyPrefix) == [Array(content.utf8)])
                }
            }
        }

        @Test func `each call has a connection and a handshake of its own`() async throws {
            try await withStage { stage in
                try await withCalls { client in
                    let call = OutgoingCall.secure(stage.sandbox.port(of: .piaxis), ca: stage.ca).with {
                        $0.target = Secret("/sandbox/echo")
                        $0.fields = [.piaxisKey]
                    }
                    for _ in 0..<3 {
                        let answer = try client.perform(call).get()
                        #expect(answer.status == 200)
                    }
                    #expect(Set(stage.requests.map(\.connection)).count == 3)
                    #expect(stage.requests.allSatisfy { !$0.isResumed })
                }
            }
        }

        @Test(arguments: [
            (WrongCertificate.expired, "expired"), (.notYetValid, "not yet valid"),
            (.wrongHost, "hostname mismatch"), (.unknownAuthority, "issuer"),
        ])
        func `no byte of a call goes to a server with a wrong certificate`(
            _ certificate: WrongCertificate, _ reason: String
        ) async throws {
            try await withStage { stage in
                try await withCalls { client in
                    let call = OutgoingCall.secure(stage.sandbox.port(of: certificate), ca: stage.ca)
                    let fault = try fault(of: client.perform(call))
                    #expect(fault.kind == .tls && !fault.wasSent)
                    #expect(fault.description.contains("the certificate is refused"), "\(fault)")
                    #expect(fault.description.contains(reason), "\(fault)")
                    #expect(stage.sandbox.record.count(of: .piaxis) == 0)
                }
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
                    try await withCalls { client in
                        let fault = try fault(of: client.perform(.secure(upstream.port, ca: stage.ca)))
                        #expect(fault.kind == .tls && !fault.wasSent)
                        #expect(fault.description.contains(reason), "\(fault)")
                        try await upstream.closed(connection: 0)
                        #expect(upstream.receivedSoFar(connection: 0) == [])
                    }
                }
            }
        }

        /// An authority of the intermediate kind is no anchor by itself, as with calls that are forwarded.
        @Test func `only a chain up to a root is believed`() async throws {
            try await withStage { stage in
                let between = try stage.sandbox.authority.intermediate(commonName: "Between")
                let identity = try between.issue(hosts: ["localhost"])
                let ca = try stage.folder.write(between.pem, to: "between.pem")
                for (ca, isBelieved) in [(stage.ca, true), (ca, false)] {
                    try await withScripts([[.readHead, .send(ok())]], identity: identity) { upstream in
                        try await withCalls { client in
                            let outcome = client.perform(.secure(upstream.port, ca: ca))
                            if isBelieved { _ = try outcome.get() } else { _ = try fault(of: outcome, .tls) }
                        }
                    }
                }
            }
        }

        @Test func `without a CA file the system's authorities are asked`() async throws {
            try await withStage { stage in
                try await withCalls { client in
                    let call = OutgoingCall.secure(stage.sandbox.port(of: .piaxis), ca: nil)
                    let fault = try fault(of: client.perform(call))
                    #expect(fault.kind == .tls && !fault.wasSent && fault.description.contains("issuer"))
                }
            }
        }

        @Test func `a CA file that cannot be used is named, and nobody is connected to`() async throws {
            let upstream = try RawUpstream()
            let folder = try TemporaryFolder()
            let file = try folder.write("no certificate", to: "ca.pem")
            try await withCalls { client in
                for ca in [file, folder.path + "/missing.pem"] {
                    let fault = try fault(of: client.perform(.secure(upstream.port, ca: ca)))
                    #expect(fault.kind == .tls && !fault.wasSent && fault.description.contains(ca))
                }
                #expect(!upstream.hasCaller)
            }
        }

        @Test func `'server_name' is asked for and verified, and Host is the URL's`() async throws {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["api.acme.test"])
                try await withScripts([[.readHead, .send(ok())]], identity: identity) { upstream in
                    try await withCalls { client in
                        var call = OutgoingCall.secure(upstream.port, ca: stage.ca)
                        #expect(try fault(of: client.perform(call)).kind == .tls)
                        call.tls.serverName = "api.acme.test"
                        #expect(try client.perform(call).get().content.text == "hello")
                        let bytes = try await upstream.received(connection: 1)
                        let text = String(decoding: bytes, as: UTF8.self)
                        #expect(text.contains("\r\nHost: localhost:\(upstream.port)\r\n"))
                    }
                }
            }
        }

        @Test func `a literal address must stand in the certificate`() async throws {
            try await withStage { stage in
                for (hosts, isGood) in [(["127.0.0.1"], true), (["localhost"], false)] {
                    let identity = try stage.sandbox.authority.issue(hosts: hosts)
                    try await withScripts([[.readHead, .send(ok())]], identity: identity) { upstream in
                        try await withCalls { client in
                            let call = OutgoingCall.secure(upstream.port, ca: stage.ca).with {
                                $0.url.host = "127.0.0.1"
                            }
                            let outcome = client.perform(call)
                            if isGood {
                                _ = try outcome.get()
                            } else {
                                let fault = try fault(of: outcome, .tls)
                                #expect(fault.description.contains("IP address mismatch"), "\(fault)")
                            }
                        }
                    }
                }
            }
        }

        @Test(arguments: [true, false])
        func `a provider that asks for a client certificate gets the configured one`(_ isGiven: Bool)
            async throws
        {
            try await withStage { stage in
                let authority = stage.sandbox.authority
                let between = try authority.intermediate(commonName: "Between")
                let own = try between.issue(hosts: ["tollkey.test"], usage: .client)
                let server = try await TLSServer.start(
                    authority.issue(hosts: ["localhost"]), clientsOf: authority.pem)
                var call = OutgoingCall.secure(server.port, ca: stage.ca)
                if isGiven {
                    call.tls.certificate = try stage.folder.write(own.chain, to: "own.pem")
                    call.tls.key = try stage.folder.write(own.key, to: "own.key")
                }
                let client = try CallClient()
                let outcome = client.perform(call)
                client.close()
                try await server.shutdown()
                #expect(server.hasReceived == isGiven)
                if isGiven { return #expect(try outcome.get().content.text == "hello") }
                // In TLS 1.3 the server refuses after our side of the handshake, so the request may be on its way.
                let fault = try fault(of: outcome)
                #expect(
                    [.tls, .broke].contains(fault.kind) && fault.description.contains("it refuses"),
                    "\(fault)")
            }
        }

        @Test(arguments: [TLSSettings.Version.tls12, .tls13])
        func `a provider below the least version is not spoken to`(_ least: TLSSettings.Version) async throws
        {
            try await withStage { stage in
                let identity = try stage.sandbox.authority.issue(hosts: ["localhost"])
                let server = try await TLSServer.start(identity, speaksOnlyTLS12: true)
                let client = try CallClient()
                let call = OutgoingCall.secure(server.port, ca: stage.ca).with { $0.tls.leastVersion = least }
                let outcome = client.perform(call)
                client.close()
                try await server.shutdown()
                #expect(server.hasReceived == (least == .tls12))
                if least == .tls12 { return #expect(try outcome.get().content.text == "hello") }
                let fault = try fault(of: outcome)
                #expect(
                    fault.kind == .tls && !fault.wasSent && fault.description.contains("version"), "\(fault)")
            }
        }

        @Test(arguments: ["220 mail.acme.test ESMTP\r\n", ""])
        func `a server that does not speak TLS gets nothing`(_ words: String) async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let outcome = try aside(client, .secure(upstream.port, ca: nil))
                let connection = try upstream.accept()
                if words.isEmpty { connection.close() } else { try connection.send(words) }
                let fault = try fault(of: outcome.value())
                #expect(fault.kind == .tls && !fault.wasSent, "\(fault)")
            }
        }
    }
}
