import Testing
import TollkeyConfig
import TollkeyCore

struct SettingsReaderTests {
    @Test func `every key at the top lands in its setting`() throws {
        let all = try settings(
            """
            listen: [127.0.0.1:1, "[::1]:2", "unix:/run/p.sock"]
            listen_beyond_loopback: false
            hosts: [Payments.internal]
            origins: [https://shop.example]
            threads: 3
            limits: {connections: 4, head: 5KiB, target: 600, headers: 7}
            timeouts: {head: 8s, body: 9s, idle: 10s, drain: 11s}
            log: {level: error}
            """ + acme)
        var limits = ClientLimits()
        (limits.connections, limits.head, limits.target, limits.headers) = (4, 5 << 10, 600, 7)
        var timeouts = ClientTimeouts()
        (timeouts.head, timeouts.body) = (.seconds(8), .seconds(9))
        (timeouts.idle, timeouts.drain) = (.seconds(10), .seconds(11))
        #expect(
            all.listeners == [
                .tcp(host: "127.0.0.1", port: 1), .tcp(host: "::1", port: 2), .unix(path: "/run/p.sock"),
            ])
        #expect(all.hosts == ["payments.internal"])
        #expect(all.origins == ["https://shop.example"])
        #expect(all.threads == 3)
        #expect(all.limits == limits)
        #expect(all.timeouts == timeouts)
        #expect(all.log.level == .error)
    }

    @Test func `the state is a folder, and its keys are secrets`() throws {
        let one = try settings(
            "state: state\nstate_key: ${env:LONG}" + acme, directory: "/etc/tollkey")
        #expect(one.state == "/etc/tollkey/state")
        #expect(one.stateKeys == [Secret("0123456789abcdef0123456789abcdef")])
        let two = try settings("state_key: [\"${env:LONG}\", \"${file:/k.pem}\"]" + acme)
        #expect(two.stateKeys.count == 2)
        #expect(two.state == nil)
        #expect(try settings(acme).stateKeys.isEmpty)
    }

    @Test(arguments: [
        (
            "${env:KEY}",
            "1:12: \"state_key\" is too short to keep anything secret; make one with: openssl rand -base64 32"
        ),
        ("${env:GONE}", "1:12: \"state_key\" cannot be had: the environment has no variable GONE"),
        ("[]", "1:12: \"state_key\" is an empty list; name one, or take the key out"),
        ("[\"${env:LONG}\", \"${env:LONG}\"]", "1:28: \"state_key\" has this key twice; keep one of them"),
        (
            "{a: b}",
            "1:12: \"state_key\" must be ${env:NAME}, ${file:PATH} or ${credential:NAME}; found a map"
        ),
        (
            "0123456789abcdef",
            """
            1:12: "state_key" stands here in clear, in a file that others can read; write ${env:NAME}, \
            ${file:PATH} or ${credential:NAME}, or make the file readable by its owner alone (chmod 600)
            """
        ),
    ])
    func `a key that could be guessed, or is not there, is a problem`(_ key: String, _ expected: String) {
        #expect(problems("state_key: \(key)" + acme) == [expected])
    }

    @Test(arguments: ["0.0.0.0:80", "\"[::]:80\"", "10.0.0.7:80"])
    func `an address that others can reach is a problem that says why, unless it is meant`(
        _ address: String
    ) throws {
        let found = problems("listen: \(address)" + acme)
        #expect(found.count == 1)
        #expect(
            found.first?.hasPrefix("1:9: \"listen\" has an address that other machines can reach") == true)
        #expect(try settings("listen_beyond_loopback: true\nlisten: \(address)" + acme).listeners.count == 1)
    }

    @Test func `two listeners alike are a problem, two that the system chooses are not`() throws {
        #expect(
            problems("listen:\n  - 127.0.0.1:80\n  - localhost:80\n  - unix:/a\n  - unix:/a" + acme) == [
                "3:5: \"listen\" has this address twice, first on line 2; keep one of them",
                "5:5: \"listen\" has this address twice, first on line 4; keep one of them",
            ])
        #expect(try settings("listen: [127.0.0.1:0, 127.0.0.1:0]" + acme).listeners.count == 2)
        #expect(
            problems("admin: 127.0.0.1:8080" + acme)
                == ["1:8: \"admin\" has this address twice, and \"listen\" by default; keep one of them"])
    }

    @Test func `a target larger than the head is a problem`() {
        #expect(
            problems("limits: {head: 4KiB, target: 5KiB}" + acme)
                == ["1:30: \"target\" is larger than \"head\", which holds it; raise \"head\""])
    }

    @Test func `a file without providers is a problem`() {
        #expect(
            problems("threads: 1")
                == ["1:1: there are no \"providers\"; describe at least one, as in the example"])
        #expect(problems("providers: {}") == ["1:1: \"providers\" is empty; describe at least one"])
        #expect(
            problems("providers:")
                == ["1:1: \"providers\" has no value; give it one, or take the key out"])
    }

    @Test func `a listener that is wrong has one problem`() {
        #expect(
            problems("listen: 80\nproviders: {a: {upstream: https://a.test, peers: {uid: 1}}}") == [
                "1:9: \"listen\" needs an address in front of the port, such as 127.0.0.1:8080"
            ])
    }

    @Test func `two providers with one route are a problem, a route inside another is none`() throws {
        #expect(
            problems(
                """
                providers:
                  a: {upstream: https://a.test}
                  b: {upstream: https://b.test, route: /a}
                  c: {upstream: https://c.test, route: /a/c}
                """) == [
                    "3:40: the route of \"b\" is already that of \"a\" on line 2; give one of them another \"route\""
                ])
    }

    @Test func `providers keep the order of the file`() throws {
        let all = try settings(
            "providers: {z: {upstream: https://z.test}, a: {upstream: https://a.test, route: /pay/eu}}")
        #expect(all.providers.map(\.name) == ["z", "a"])
        #expect(all.providers.map(\.route) == ["/z", "/pay/eu"])
    }
}
