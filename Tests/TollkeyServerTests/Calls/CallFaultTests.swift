import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// What is known of a call that failed: above all, whether its secrets are spent.
    struct CallFaultTests {
        @Test func `nothing was sent to an address that refuses`() async throws {
            let refusing = try RawUpstream(listens: false)
            try await withCalls { client in
                for call in [OutgoingCall.plain(refusing.port), .secure(refusing.port, ca: nil)] {
                    let fault = try fault(of: client.perform(call))
                    #expect(fault.kind == .connect && !fault.wasSent)
                    #expect(
                        fault.description.contains("refused")
                            && fault.description.contains("\(refusing.port)"))
                }
            }
        }

        /// A label of more than 63 bytes (RFC 1035 §2.3.4) has no address, and nobody is asked for it.
        @Test func `nothing was sent to a name without address`() async throws {
            try await withCalls { client in
                let host = String(repeating: "a", count: 64) + ".test"
                let fault = try fault(of: client.perform(.plain(80, host: host)))
                #expect(fault.kind == .resolve && !fault.wasSent && fault.description.contains(host))
            }
        }

        @Test(arguments: [true, false])
        func `a connection that breaks behind the request may have spent it, and it is not sent again`(
            _ isReset: Bool
        ) async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let outcome = try aside(client, .plain(upstream.port))
                let connection = try upstream.accept()
                _ = try connection.request()
                if isReset { connection.reset() } else { connection.close() }
                let fault = try fault(of: outcome.value())
                #expect(fault.kind == .broke && fault.wasSent, "\(fault)")
                #expect(!upstream.hasCaller)
            }
        }

        @Test(arguments: ["reset", "close-before-head", "close-mid-body", "garbage"])
        func `misbehaviour over TLS may have spent the request, and it is not sent again`(_ fault: String)
            async throws
        {
            try await withStage { stage in
                try await withCalls { client in
                    let call = OutgoingCall.secure(stage.sandbox.port(of: .piaxis), ca: stage.ca).with {
                        $0.target = Secret("/sandbox/echo?key=\(canary)")
                        $0.fields.append(.init(name: "X-Sandbox-Fault", value: Secret(fault)))
                    }
                    let fault = try TollkeyServerTests.fault(of: client.perform(call))
                    #expect(fault.kind == .broke && fault.wasSent, "\(fault)")
                    #expect(stage.sandbox.record.count(of: .piaxis) == 1)
                }
            }
        }

        @Test func `no redirect is followed`() async throws {
            try await withStage { stage in
                try await withCalls { client in
                    let call = OutgoingCall.secure(stage.sandbox.port(of: .piaxis), ca: stage.ca).with {
                        $0.target = Secret("/sandbox/redirect")
                        $0.fields = [.piaxisKey]
                    }
                    let answer = try client.perform(call).get()
                    #expect(answer.status == 302 && answer.value(of: "location")?.isEmpty == false)
                    #expect(stage.sandbox.record.count(of: .piaxis) == 1)
                }
            }
        }

        @Test func `a peer that says nothing is left when the time is over`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let call = OutgoingCall.plain(upstream.port).with { $0.wholeTimeout = .milliseconds(30) }
                let fault = try fault(of: client.perform(call))
                #expect(fault.kind == .timeout && fault.wasSent && fault.description.contains("answer"))
                let connection = try upstream.accept()
                #expect(try connection.request().startLine.hasPrefix("POST "))
                #expect(try connection.hasEnded())
            }
        }

        @Test func `an answer that does not end is left when the time is over`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let call = OutgoingCall.plain(upstream.port).with { $0.wholeTimeout = .milliseconds(60) }
                let outcome = try aside(client, call)
                let connection = try upstream.accept()
                _ = try connection.request()
                try connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\(canary)")
                let fault = try fault(of: outcome.value())
                #expect(fault.kind == .timeout && fault.wasSent)
            }
        }

        @Test func `a TLS server that says nothing has got nothing when the time is over`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let call = OutgoingCall.secure(upstream.port, ca: nil).with {
                    $0.connectTimeout = .milliseconds(30)
                }
                let fault = try fault(of: client.perform(call))
                // On a busy machine the time may be over before TLS has begun.
                #expect(fault.kind == .timeout && !fault.wasSent, "\(fault)")
            }
        }

        @Test func `no time at all is not the same as no bound`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream()
                let call = OutgoingCall.plain(upstream.port).with {
                    $0.connectTimeout = .zero
                    $0.wholeTimeout = .zero
                }
                #expect(try fault(of: client.perform(call)).kind == .timeout)
            }
        }

        @Test func `when the first address refuses, the second is used`() async throws {
            try await withCalls { client in
                let refusing = try RawUpstream(listens: false)
                let upstream = try RawUpstream()
                let call = OutgoingCall.plain(443, host: "api.acme.test").with {
                    $0.addresses = [refusing.port, upstream.port].map {
                        UpstreamAddress(host: "127.0.0.1", port: $0)
                    }
                }
                let outcome = try aside(client, call)
                let connection = try upstream.accept()
                #expect(try connection.request().values(of: "Host") == ["api.acme.test:443"])
                try connection.send(ok())
                #expect(try outcome.value().get().content.text == "hello")
            }
        }

        @Test func `a request is not sent to the second address when the first has had it`() async throws {
            try await withCalls { client in
                let first = try RawUpstream()
                let second = try RawUpstream()
                let call = OutgoingCall.plain(443, host: "api.acme.test").with {
                    $0.addresses = [first.port, second.port].map {
                        UpstreamAddress(host: "127.0.0.1", port: $0)
                    }
                }
                let outcome = try aside(client, call)
                let connection = try first.accept()
                _ = try connection.request()
                connection.reset()
                #expect(try fault(of: outcome.value()).wasSent)
                #expect(!second.hasCaller)
            }
        }

        @Test func `an IPv6 address is connected to, and named in brackets`() async throws {
            try await withCalls { client in
                let upstream = try RawUpstream(host: "::1")
                let other = OutgoingCall.plain(80, host: "api.acme.test").with {
                    $0.addresses = [UpstreamAddress(host: "::1", port: upstream.port)]
                }
                for (call, host) in [
                    (.plain(upstream.port, host: "::1"), "[::1]:\(upstream.port)"), (other, "api.acme.test"),
                ] {
                    let outcome = try aside(client, call)
                    let connection = try upstream.accept()
                    #expect(try connection.request().values(of: "Host") == [host])
                    try connection.send(ok())
                    #expect(try outcome.value().get().status == 200)
                }
            }
        }
    }
}
