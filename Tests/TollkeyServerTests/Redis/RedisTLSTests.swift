import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Whom the client tells its password.
    struct RedisTLSTests {
        private let folder: TemporaryFolder
        private let authority: CertificateAuthority
        private let ca: String

        init() throws {
            folder = try TemporaryFolder()
            authority = try CertificateAuthority(commonName: "Tests")
            ca = try folder.write(authority.pem, to: "ca.pem")
        }

        private func settings(_ redis: RedisServer, host: String = "localhost") -> SharedSettings {
            redis.settings.with {
                $0.host = host
                $0.isEncrypted = true
                $0.ca = ca
                $0.password = Secret(canary)
            }
        }

        @Test(arguments: ["localhost", "127.0.0.1"])
        func `a server whose certificate is good is asked, in long words too`(_ host: String) throws {
            let identity = try authority.issue(hosts: [host])
            try withRedis(["requirepass \(canary)"], identity: identity) { redis in
                try withClient(settings(redis, host: host)) { client in
                    let long = RedisArgument([UInt8](repeating: 7, count: 900_000))
                    #expect(try client.perform(["SET", "a", long]) == .text("OK"))
                    #expect(try client.perform(["GET", "a"]) == .bytes(long.bytes))
                    let commands = (0..<10_000).map { _ -> RedisCommand in ["INCR", "count"] }
                    #expect(try client.pipeline(commands).last == .integer(10_000))
                    redis.kill()
                    try expectFailure(.unreachable) { try client.perform(["GET", "a"]) }
                }
            }
        }

        @Test func `a wrong name or a wrong authority ends it before the password`() throws {
            try withRedis(identity: authority.issue(hosts: ["other.test"])) { redis in
                try withClient(settings(redis)) { client in
                    try expectFailure(.tls, says: "hostname mismatch") { try client.perform(["PING"]) }
                }
            }
            let strange = try CertificateAuthority(commonName: "Strangers")
            try withRedis(identity: strange.issue(hosts: ["localhost"])) { redis in
                try withClient(settings(redis)) { client in
                    try expectFailure(.tls, says: "the certificate is refused") {
                        try client.perform(["PING"])
                    }
                }
                try withClient(settings(redis).with { $0.ca = nil }) { client in
                    try expectFailure(.tls, says: "the certificate is refused") {
                        try client.perform(["PING"])
                    }
                }
            }
        }

        @Test func `a CA file that cannot be used is named`() throws {
            try withRedis(identity: authority.issue(hosts: ["localhost"])) { redis in
                try withClient(settings(redis).with { $0.ca = folder.path + "/missing.pem" }) { client in
                    try expectFailure(.tls, says: "missing.pem") { try client.perform(["PING"]) }
                }
            }
        }

        @Test func `a server that does not speak TLS hears no password`() throws {
            let upstream = try RawUpstream()
            let settings = SharedSettings.at(upstream).with {
                $0.isEncrypted = true
                $0.password = Secret(canary)
            }
            try withClient(settings) { client in
                let call = try Aside { try client.perform(["PING"]) }
                let server = try upstream.accept()
                #expect(try server.next() == 0x16)
                try server.send("-ERR unknown command\r\n")
                try expectFailure(.tls) { try call.value() }
                let bytes = try server.rest()
                #expect(!String(decoding: bytes, as: UTF8.self).contains(canary))
            }
        }

        @Test func `a real server without TLS behind rediss is not waited for beyond the deadline`() throws {
            try withRedis { redis in
                try withClient(settings(redis), connect: .milliseconds(50)) { client in
                    let failure = try #require(throws: RedisFailure.self) { try client.perform(["PING"]) }
                    // It waits for the end of a line, which there may be by chance.
                    #expect(failure.kind == .timedOut || failure.kind == .tls, "\(failure)")
                    #expect(failure.description.contains("TLS") && !failure.mayHaveRun)
                }
            }
        }

        @Test func `a TLS server behind redis is told, or guessed when it only hangs up`() throws {
            try withRedis(identity: authority.issue(hosts: ["localhost"])) { redis in
                try withClient(redis.settings.with { $0.isEncrypted = false }) { client in
                    try expectFailure(.unreachable, says: "rediss://") { try client.perform(["PING"]) }
                }
            }
            let upstream = try RawUpstream()
            try withClient(.at(upstream)) { client in
                let call = try Aside { try client.perform(["PING"]) }
                let server = try upstream.accept()
                try server.endOfIntroduction()
                // A fatal alert: unexpected_message (RFC 8446 §6).
                try server.send([0x15, 3, 3, 0, 2, 2, 10])
                try expectFailure(.tls, says: "rediss://") { try call.value() }
            }
        }

        @Test func `a server that wants a client certificate says so`() throws {
            let identity = try authority.issue(hosts: ["localhost"])
            try withRedis(["tls-auth-clients yes"], identity: identity) { redis in
                try withClient(settings(redis)) { client in
                    try expectFailure(.tls, says: "certificate required") { try client.perform(["PING"]) }
                }
            }
        }
    }
}
