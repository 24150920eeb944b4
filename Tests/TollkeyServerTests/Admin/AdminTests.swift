import Glibc
import Synchronization
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// What an operator sees, and who may change things.
    struct AdminTests {
        private let stage: QuotaStage
        private let proxy: Proxy

        init() throws {
            stage = try QuotaStage()
            proxy = try Proxy(
                stage.settings(stage.provider(.limited(3, per: .seconds(60)))).administered,
                clock: stage.clock, log: stage.log)
        }

        @Test func `a proxy that can do its work is alive and ready`() throws {
            defer { proxy.stop() }
            #expect(try proxy.admin("GET", "/live").text == "ok\n")
            #expect(try proxy.admin("GET", "/ready").text == "ready\n")
            let head = try proxy.admin("HEAD", "/ready")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.value(of: "cache-control") == "no-store")
        }

        @Test func `the page is whole, and may ask nobody but this proxy`() throws {
            defer { proxy.stop() }
            for (path, type) in [
                ("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript"),
            ] {
                let page = try proxy.admin("GET", path)
                #expect(page.status == 200)
                #expect(page.value(of: "content-type")?.hasPrefix(type) == true)
                #expect(page.value(of: "content-security-policy")?.hasPrefix("default-src 'none'") == true)
                #expect(page.body.count > 1_000)
            }
        }

        @Test func `the status tells what has passed and what is left`() throws {
            defer { proxy.stop() }
            #expect(try stage.passed(2, proxy) == 2)
            let status = try proxy.status()
            #expect(status["ready"]?.flag == true)
            let provider = status["providers"]?.elements.first
            #expect(provider?["name"]?.text == "acme")
            #expect(provider?["calls"]?["total"]?.number == 2)
            #expect(provider?["upstream"]?["state"]?.text == "ok")
            let limit = provider?["categories"]?.elements.first?["limits"]?.elements.first
            #expect(limit?["text"]?.text == "3/minute")
            #expect(limit?["remaining"]?.number == 1)
            #expect(try stage.passed(2, proxy) == 1)
            let after = try proxy.status()["providers"]?.elements.first?["categories"]?.elements.first
            #expect(after?["rejected"]?.number == 1)
            #expect(after?["limits"]?.elements.first?["remaining"]?.number == 0)
            try proxy.passCounted(.seconds(61))
            let later = try proxy.status()["providers"]?.elements.first?["categories"]?.elements.first
            #expect(later?["limits"]?.elements.first?["remaining"]?.number == 3, "nobody has called since")
        }

        @Test func `a ledger that cannot be asked shows wherever somebody looks, as this proxy's trouble`()
            throws
        {
            defer { proxy.stop() }
            #expect(try stage.passed(1, proxy) == 1)
            try stage.takeLedgerAway()
            try proxy.passCounted(.seconds(120))
            try proxy.settle()
            #expect(try stage.passed(1, proxy) == 0)
            let status = try proxy.status()
            #expect(status["ledger"]?["state"]?.text == "away")
            #expect(status["ledger"]?["words"]?.text?.isEmpty == false)
            let problem = status["problems"]?.elements.first { $0["kind"]?.text == "quota-paused" }
            #expect(problem?["side"]?.text == "proxy")
            #expect(try proxy.metric(#"tollkey_ledger_up{kind="sqlite"}"#) == 0)
            try stage.bringLedgerBack()
            try proxy.passCounted(.seconds(1))
            try proxy.settle()
            #expect(try proxy.status()["ledger"]?["state"]?.text == "ok")
            #expect(try stage.passed(1, proxy) == 1)
        }

        @Test func `metrics count by provider, category, status and source`() throws {
            defer { proxy.stop() }
            #expect(try stage.passed(4, proxy) == 3)
            let text = try proxy.admin("GET", "/metrics").text
            for line in [
                #"tollkey_requests_total{provider="acme",category="calls",status="200",source="provider"} 3"#,
                #"tollkey_requests_total{provider="acme",category="calls",status="429",source="tollkey"} 1"#,
                #"tollkey_request_seconds_count{provider="acme"} 4"#,
                #"tollkey_upstream_seconds_count{provider="acme"} 3"#,
                #"tollkey_quota_limit{provider="acme",category="calls",window="60"} 3"#,
                #"tollkey_quota_remaining{provider="acme",category="calls",window="60"} 0"#,
                #"tollkey_quota_rejected_total{provider="acme",category="calls",reason="limit"} 1"#,
                #"tollkey_problems_total{provider="acme",kind="rate-limited"} 1"#,
                #"tollkey_credential_expires_in_seconds{provider="acme",credential="key"} +Inf"#,
                #"tollkey_ready 1"#, #"tollkey_config_reloads_total{outcome="refused"} 0"#,
            ] { #expect(text.contains(line + "\n"), "\(line)") }
            #expect(!text.contains("s3cr3t"))
        }

        @Test func `counters outlive the category that they count`() throws {
            defer { proxy.stop() }
            func count(_ category: String) throws -> Double? {
                try proxy.metric(
                    "tollkey_requests_total{provider=\"acme\",category=\"\(category)\",status=\"200\",source=\"provider\"}"
                )
            }
            #expect(try stage.passed(2, proxy) == 2)
            try proxy.server.reload(stage.settings(stage.provider()).administered)
            #expect(try stage.passed(1, proxy) == 1)
            try proxy.settle()
            #expect(try count("calls") == 2)
            #expect(try count("") == 1)
            try proxy.server.reload(
                stage.settings(stage.provider(.limited(9, per: .seconds(60)))).administered)
            #expect(try stage.passed(1, proxy) == 1)
            try proxy.settle()
            #expect(try count("calls") == 3, "it goes on where it was")
            #expect(try count("") == 1)
        }

        @Test func `each metric is described once, before its samples`() throws {
            defer { proxy.stop() }
            _ = try stage.passed(4, proxy)
            var described: [String] = []
            for line in try proxy.admin("GET", "/metrics").text.split(separator: "\n") {
                if line.hasPrefix("# TYPE ") {
                    described.append(String(line.split(separator: " ")[2]))
                } else if !line.hasPrefix("#") {
                    let name = line.prefix { $0 != "{" && $0 != " " }
                    #expect(described.last.map { name.hasPrefix($0) } == true, "\(line)")
                }
            }
            #expect(Set(described).count == described.count)
        }

        @Test(arguments: [
            ("Host: evil.example", 403), ("Host: 192.0.2.7:9180", 200), ("Host: [::1]:1", 200),
            ("Host: LOCALHOST", 200), ("Host: localhost.evil.example", 403), ("Host: 127.0.0.1.evil", 403),
            ("Host: [::1]", 200), ("Host: [::1]evil", 403), ("Host: [::1]:evil", 403), ("Host: [::1", 403),
            ("Host: 127.0.0.1:evil", 403), ("Host: localhost:123456", 403), ("Host: localhost:1:2", 403),
        ])
        func `a name that is not this machine's is refused`(_ host: String, _ status: Int) throws {
            defer { proxy.stop() }
            let connection = try RawConnection.toPort(proxy.server.adminPorts.first ?? 0)
            try connection.send("GET /status HTTP/1.1\r\n\(host)\r\n\r\n")
            #expect(try connection.answer().status == status)
        }

        @Test(arguments: [
            ("Origin: http://evil.example", 403), ("Origin: http://localhost", 200), ("Origin: null", 403),
            ("Sec-Fetch-Site: cross-site", 403), ("Sec-Fetch-Site: same-site", 403),
            ("Sec-Fetch-Site: same-origin", 200), ("Sec-Fetch-Site: none", 200),
            ("Origin: http://localhost\r\nOrigin: http://evil.example", 403),
            ("Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site", 403),
        ])
        func `a page elsewhere is refused`(_ field: String, _ status: Int) throws {
            defer { proxy.stop() }
            #expect(try proxy.admin("GET", "/status", [field]).status == status)
        }

        @Test(arguments: ["PUT", "DELETE", "OPTIONS"])
        func `a method that nobody needs is refused`(_ method: String) throws {
            defer { proxy.stop() }
            let answer = try proxy.admin(method, "/status")
            #expect(answer.status == 405 && answer.value(of: "allow") == "GET, HEAD, POST")
        }

        @Test func `looking changes nothing`() throws {
            defer { proxy.stop() }
            let answer = try proxy.admin("GET", "/reload")
            #expect(answer.status == 405 && answer.value(of: "allow") == "POST")
            #expect(try proxy.admin("POST", "/status").status == 404)
        }

        // MARK: Changing things

        @Test(
            arguments: [
                ([], 403), (["Authorization: Bearer wrong-token-for-operators"], 403),
                (["Authorization: Bearer a-token-for-operators"], 200),
                (["Authorization: Bearer a-token-for-operatorsX"], 403),
                (["Authorization: Basic a-token-for-operators"], 403),
                (["Authorization: bearer a-token-for-operators"], 200),
                (["Authorization: Bearer a-token-for-operators", "Authorization: Bearer another"], 403),
            ] as [([String], Int)])
        func `over TCP a token is needed`(_ fields: [String], _ status: Int) throws {
            defer { proxy.stop() }
            let reloads = Mutex<[String]>([])
            proxy.server.onReload { actor in
                reloads.withLock { $0.append(actor.text) }
                return nil
            }
            let answer = try proxy.admin("POST", "/reload", fields)
            #expect(answer.status == status)
            #expect(reloads.withLock { $0 } == (status == 200 ? ["token ops"] : []))
        }

        @Test func `over a unix socket the user counts`() throws {
            proxy.stop()
            let path = "\(stage.folder.path).sock"
            let other = try Proxy(
                stage.settings(stage.provider()).with { $0.admin.listeners = [.unix(path: path)] },
                clock: stage.clock)
            defer { other.stop() }
            other.server.onReload { _ in "proxy.yaml:1:1: nothing is right" }
            let connection = try RawConnection.toPath(path)
            try connection.send("POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            let answer = try connection.answer()
            #expect(answer.status == 409)
            #expect(answer.text.contains("nothing is right"))
        }

        @Test func `what became of an action is in the log`() throws {
            defer { proxy.stop() }
            proxy.server.onReload { _ in "proxy.yaml:1:1: nothing is right" }
            _ = try proxy.admin("POST", "/reload", ["Authorization: Bearer a-token-for-operators"])
            #expect(
                stage.log.lines.contains(
                    "notice action action=reload actor=token ops status=409 words=proxy.yaml:1:1: nothing is right"
                ))
        }

        @Test func `a reload moves the admin listener`() throws {
            defer { proxy.stop() }
            let before = proxy.server.adminPorts.first ?? 0
            let path = "\(stage.folder.path).sock"
            try proxy.server.reload(
                stage.settings(stage.provider()).with { $0.admin.listeners = [.unix(path: path)] })
            #expect(proxy.server.adminPorts.isEmpty)
            #expect(throws: RawConnection.Failure.self) { try RawConnection.toPort(before) }
            let connection = try RawConnection.toPath(path)
            try connection.send("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(try connection.answer().status == 200)
            try proxy.server.reload(stage.settings(stage.provider()))
            #expect(throws: RawConnection.Failure.self) { try RawConnection.toPath(path) }
        }

        @Test func `what is logged changes while it runs`() throws {
            defer { proxy.stop() }
            let token = ["Authorization: Bearer a-token-for-operators"]
            #expect(try proxy.admin("POST", "/log?level=debug&sample=0.5&access=false", token).status == 200)
            let settings = proxy.server.logControl.settings
            #expect(settings.level == .debug && settings.sample == 0.5 && !settings.access)
            #expect(try proxy.admin("POST", "/log?level=loud", token).status == 400)
            #expect(try proxy.admin("POST", "/log?sample=2", token).status == 400)
        }

        @Test func `content that is too much, or says no length, is refused`() throws {
            defer { proxy.stop() }
            for field in ["Content-Length: 8193", "Transfer-Encoding: chunked"] {
                let connection = try RawConnection.toPort(proxy.server.adminPorts.first ?? 0)
                try connection.send("POST /reload HTTP/1.1\r\nHost: localhost\r\n\(field)\r\n\r\n")
                #expect(try connection.answer().status == 413)
            }
        }
    }
}
