import Glibc
import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// The proxy between us and the providers, which must not learn what is said to them.
    struct CallProxyTests {
        private static func egress(_ port: Int) -> EgressProxy {
            EgressProxy(host: "127.0.0.1", port: port, user: Secret("us"), password: Secret("p:\(canary)"))
        }

        @Test func `a call goes through a tunnel, and the proxy sees its own password only`() async throws {
            try await withCalls { client in
                let proxy = try RawUpstream()
                let call = OutgoingCall.plain(80, host: "api.acme.test").with {
                    $0.egressProxy = Self.egress(proxy.port)
                }
                let outcome = try aside(client, call)
                let connection = try proxy.accept()
                let connect = try connection.head()
                #expect(connect.startLine == "CONNECT api.acme.test:80 HTTP/1.1")
                #expect(connect.values(of: "Host") == ["api.acme.test:80"])
                #expect(connect.values(of: "Authorization") == [])
                // `us:p:c4n4ry-51deb00c`
                #expect(connect.values(of: "Proxy-Authorization") == ["Basic dXM6cDpjNG40cnktNTFkZWIwMGM="])
                try connection.send("HTTP/1.1 200 OK\r\n\r\n")
                let request = try connection.request()
                #expect(request.startLine.hasPrefix("POST /oauth/token"))
                #expect(request.values(of: "Host") == ["api.acme.test"])
                #expect(!request.fields.contains { $0.name.lowercased().hasPrefix("proxy-") })
                try connection.send(ok())
                let answer = try outcome.value().get()
                #expect(answer.fields.map(\.name) == ["content-length"])
            }
        }

        @Test func `TLS is with the provider, not with the proxy`() async throws {
            try await withStage { stage in
                try await withCalls { client in
                    let port = stage.sandbox.port(of: .piaxis)
                    let relay = try RecordRelay(to: port)
                    let call = OutgoingCall.secure(port, ca: stage.ca).with {
                        $0.target = Secret("/sandbox/echo")
                        $0.fields = [.piaxisKey]
                        $0.egressProxy = EgressProxy(host: "127.0.0.1", port: relay.port)
                    }
                    let outcome = try aside(client, call)
                    let connect = try relay.serve(opensTunnel: true)
                    #expect(connect?.startLine == "CONNECT localhost:\(port) HTTP/1.1")
                    #expect(connect?.values(of: "Proxy-Authorization") == [])
                    let answer = try outcome.value().get()
                    #expect(answer.status == 200 && answer.value(of: "x-proxy") == nil)
                    #expect(stage.requests.first?.values(of: "Host") == ["localhost:\(port)"])
                }
            }
        }

        @Test func `a proxy that refuses, or is not there, has got nothing to pass on`() async throws {
            try await withCalls { client in
                for (status, word) in [
                    ("403 No", "403"), ("407 Who", "407"), ("302 There", "302"), ("", "broke"),
                ] {
                    let proxy = try RawUpstream()
                    let call = OutgoingCall.secure(443, ca: nil).with {
                        $0.egressProxy = Self.egress(proxy.port)
                    }
                    let outcome = try aside(client, call)
                    let connection = try proxy.accept()
                    _ = try connection.head()
                    if status.isEmpty {
                        connection.close()
                    } else {
                        try connection.send(
                            "HTTP/1.1 \(status)\r\nProxy-Authenticate: Basic\r\nX: \(canary)\r\n"
                                + "Content-Length: 0\r\n\r\n")
                    }
                    let fault = try fault(of: outcome.value())
                    #expect(fault.kind == .connect && !fault.wasSent, "\(fault)")
                    #expect(
                        fault.description.contains("proxy") && fault.description.contains(word), "\(fault)")
                    #expect(!proxy.hasCaller)
                }
                let refusing = try RawUpstream(listens: false)
                let call = OutgoingCall.plain(80).with { $0.egressProxy = Self.egress(refusing.port) }
                let fault = try fault(of: client.perform(call))
                #expect(fault.kind == .connect && !fault.wasSent && fault.description.contains("proxy"))
            }
        }

        /// What the environment says is for other programs: a call would tell its secrets to whoever set it.
        @Test func `a proxy in the environment is not used`() async throws {
            let other = try RawUpstream()
            setenv("all_proxy", "http://127.0.0.1:\(other.port)", 1)
            defer { unsetenv("all_proxy") }
            try await withCalls { client in
                let upstream = try RawUpstream()
                let outcome = try aside(client, .plain(upstream.port))
                let connection = try upstream.accept()
                #expect(try connection.request().startLine.hasPrefix("POST /oauth/token"))
                try connection.send(ok())
                #expect(try outcome.value().get().status == 200)
                #expect(!other.hasCaller)
            }
        }
    }
}
