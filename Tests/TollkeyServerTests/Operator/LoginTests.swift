import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    struct LoginTests {
        /// Where the provider sends the browser that opens `url`: the sandbox's user says yes at once.
        private func follow(_ url: String, _ stage: CredentialStage) throws -> String {
            var upstream = try #require(try stage.piaxis.providers.first).upstream
            upstream.basePath = ""
            let origin = "https://\(upstream.authority)"
            #expect(url.hasPrefix("\(origin)/api/authorize?"))
            var call = OutgoingCall(
                method: "GET", url: upstream, target: Secret(String(url.dropFirst(origin.count))))
            call.tls.ca = stage.ca
            let answer = try CallClient().perform(call).get()
            let location = try #require(answer.value(of: "location"))
            return location.reveal { String(decoding: $0, as: UTF8.self) }
        }

        private func visit(
            _ listener: RedirectListener, _ target: String, method: String = "GET", host: String = "127.0.0.1"
        ) throws -> Message {
            let port = try #require(Int(listener.uri.split(separator: ":")[2].prefix { $0 != "/" }))
            let connection = try RawConnection.toPort(port)
            try connection.send("\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\n\r\n")
            return try connection.answer()
        }

        private func call(_ proxy: Proxy) throws -> Message {
            try proxy.answer(
                to: "GET /piaxis/api/payments/p1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        }

        /// The parameter of a URL that needs no decoding.
        private func parameter(_ name: String, _ url: String) throws -> String {
            let query = try #require(url.split(separator: "?").last)
            let pair = try #require(query.split(separator: "&").first { $0.hasPrefix("\(name)=") })
            return String(pair.dropFirst(name.count + 1))
        }

        @Test func `a login by redirect opens what was closed, at once and in a running proxy`() async throws
        {
            try await withCredentialStage { stage in
                let settings = try stage.piaxisOAuth
                let proxy = try stage.proxy(settings)
                defer { proxy.stop() }
                let refusal = try call(proxy)
                #expect(refusal.status == 503)
                #expect(refusal.value(of: "Tollkey-Problem") == "login-required")

                let desk = try stage.desk(settings)
                let listener = try RedirectListener(desk.login().1.redirectURI)
                let flow = try LoginFlow(desk, redirectURI: listener.uri)
                let waiting = try Aside { try listener.wait { flow.verdict(on: $0) } }
                let location = try follow(flow.url, stage)
                #expect(location.hasPrefix(listener.uri))
                let target = String(location.dropFirst(listener.uri.utf8.count - "/callback".utf8.count))

                #expect(try visit(listener, "/favicon.ico").status == 404)
                #expect(try visit(listener, "/callback?code=c&state=of-another").status == 400)
                #expect(try visit(listener, "/callback?code=c").status == 400)
                #expect(try visit(listener, target, method: "POST").status == 405)
                #expect(try visit(listener, target, host: "rebound.test").status == 403)
                let page = try visit(listener, target)
                #expect(page.status == 200)
                #expect(page.text.contains("You can close this window"))
                #expect(page.value(of: "Cache-Control") == "no-store")
                #expect(page.value(of: "Referrer-Policy") == "no-referrer")

                let code = try waiting.value()
                let report = try flow.finish(code)
                #expect(report.isGood, "\(report.text)")
                #expect(
                    report.text.contains("piaxis: 'access' was obtained by a person's login, good for 1 h,"))
                #expect(try comes(200) { try call(proxy) })

                let used = try complaint { _ = try flow.finish(code) }
                #expect(used?.hasPrefix("The provider does not accept the code (400, INVALID_GRANT)") == true)
                // The sandbox has noticed, too, that it was spent twice.
                stage.sandbox.record.clear()
            }
        }

        @Test func `a login by paste takes the whole address of this very login`() async throws {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.piaxisOAuth)
                let flow = try LoginFlow(desk, redirectURI: LoginFlow.pastedURI("https://shop.example/back"))
                let other = try LoginFlow(desk, redirectURI: "https://shop.example/back")
                let location = try follow(flow.url, stage)
                #expect(location.hasPrefix("https://shop.example/back?code="))
                #expect(
                    try complaint { _ = try other.code(pasted: location) }?.contains("another login") == true)
                #expect(
                    try complaint { _ = try flow.code(pasted: "code_only") }?.contains("whole address")
                        == true)
                let code = try flow.code(pasted: " \(location)#_=_\n")
                #expect(try flow.finish(code).isGood)
                #expect(try desk.refresh().text.contains("with the refresh token"))
            }
        }

        @Test func `a provider that says no ends the login with its code, and with nothing else of its own`()
            async throws
        {
            try await withCredentialStage { stage in
                let desk = try stage.desk(stage.piaxisOAuth)
                let listener = try RedirectListener(nil)
                let flow = try LoginFlow(desk, redirectURI: listener.uri)
                let state = try parameter("state", flow.url)
                #expect(state.utf8.count == 43, "32 bytes")
                let waiting = try Aside { try listener.wait { flow.verdict(on: $0) } }
                let page = try visit(listener, "/callback?error=access_denied&state=\(state)")
                #expect(page.text.contains("(access_denied)"))
                #expect(
                    try complaint { _ = try waiting.value() }?.contains("no access (access_denied)") == true)
                let script = Array("error=%3Cscript%3E&state=\(state)".utf8)
                #expect(flow.verdict(on: script[...]) == .denied("no reason that can be shown"))
                #expect(flow.verdict(on: Array("code=a&code=b&state=\(state)".utf8)[...]) == .empty)
                #expect(
                    flow.verdict(on: Array("code=a%2Bb+c&state=\(state)".utf8)[...]) == .code(Secret("a+b c"))
                )
                #expect(
                    flow.verdict(on: Array("c%6Fde=a&st%61te=\(state)".utf8)[...]) == .code(Secret("a")))
                #expect(flow.verdict(on: Array("code=a&state=\(state)&state=\(state)".utf8)[...]) == .foreign)
            }
        }

        @Test func `with PKCE the address holds the challenge`() async throws {
            try await withCredentialStage { stage in
                var settings = try stage.piaxisOAuth
                settings.providers[0].credentials[0].login?.usesPKCE = true
                settings.providers[0].credentials[0].login?.query.append(
                    NamedTemplate(name: "code_challenge", value: [.input("code_challenge")]))
                let desk = try stage.desk(settings)
                let flow = try LoginFlow(desk, redirectURI: "http://127.0.0.1:1/callback")
                #expect(try parameter("code_challenge", flow.url).utf8.count == 43)
            }
        }

        @Test func `nobody is waited for without end, nor listened for where nobody comes`() throws {
            let listener = try RedirectListener(nil)
            let late = try complaint { _ = try listener.wait(timeout: .zero) { _ in .foreign } }
            #expect(late?.hasPrefix("Nobody came back") == true)
            #expect(
                try complaint { _ = try RedirectListener("https://shop.example/back") }?.contains("--paste")
                    == true)
        }

        @Test func `a request beyond the bound is turned away`() throws {
            let listener = try RedirectListener(nil)
            let waiting = try Aside { try listener.wait { _ in .code(Secret("c")) } }
            let target = "/callback?" + String(repeating: "a", count: RedirectListener.requestBytesMax)
            #expect(try visit(listener, target).status == 400)
            #expect(try visit(listener, "/callback?code=c").status == 200)
            #expect(try waiting.value() == Secret("c"))
        }
    }
}
