import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct RedisLoginTests {
        private static let right = Secret("right \(canary)")
        private static let wrong = Secret("wrong \(canary)")

        @Test func `the right password opens, a wrong one and none do not`() throws {
            try withRedis(["requirepass \"right \(canary)\""]) { redis in
                try withClient(redis.settings.with { $0.password = Self.right }) { client throws in
                    #expect(try client.perform(["PING"]) == .text("PONG"))
                }
                try withClient(redis.settings.with { $0.password = Self.wrong }) { client in
                    try expectFailure(.refused, says: "refuses the user or the password") {
                        try client.perform(["PING"])
                    }
                }
                try withClient(redis.settings) { client in
                    try expectFailure(.refused, says: "wants a password") { try client.perform(["PING"]) }
                }
            }
        }

        @Test func `a password that the server does not want is told`() throws {
            try withRedis { redis in
                try withClient(redis.settings.with { $0.password = Self.right }) { client in
                    try expectFailure(.refused, says: "has none for this user") {
                        try client.perform(["PING"])
                    }
                }
            }
        }

        @Test func `a user of the access list may do what is listed`() throws {
            let user = "user app on \">right \(canary)\" ~* -@all +get +auth"
            try withRedis([user, "user default off"]) { redis in
                let settings = redis.settings.with {
                    $0.user = "app"
                    $0.password = Self.right
                }
                try withClient(settings) { client in
                    #expect(try client.perform(["GET", "a"]) == .null)
                    let failure = try expectFailure(.refused, says: "does not allow this user") {
                        try client.perform(["SET", "a", RedisArgument(canary)])
                    }
                    #expect(failure.code == "NOPERM")
                    #expect(try client.perform(["GET", "a"]) == .null)
                }
                try withClient(settings.with { $0.user = "other" }) { client in
                    try expectFailure(.refused) { try client.perform(["GET", "a"]) }
                }
            }
        }

        @Test func `a password that is changed under a connection ends it with the right word`() throws {
            let upstream = try RawUpstream()
            try withClient(.at(upstream)) { client in
                let call = try Aside { try client.perform(["GET", "a"]) }
                let server = try upstream.welcome()
                _ = try server.through("$3\r\nGET\r\n$1\r\na\r\n")
                try server.send("-NOAUTH Authentication required.\r\n")
                try expectFailure(.refused) { try call.value() }
                #expect(try server.hasEnded())
            }
        }

        @Test func `a server with too many clients is told from one that refuses the password`() throws {
            try withRedis(["maxclients 1"]) { redis in
                let other = try RawConnection.toPort(redis.port)
                try other.send("PING\r\n")
                _ = try other.through("\r\n")
                for password in [nil, Self.right] {
                    try withClient(redis.settings.with { $0.password = password }) { client in
                        try expectFailure(.unreachable) { try client.perform(["PING"]) }
                    }
                }
            }
        }

        @Test func `a server in protected mode is told`() throws {
            let upstream = try RawUpstream()
            try withClient(.at(upstream)) { client in
                let call = try Aside { try client.perform(["GET", "a"]) }
                let server = try upstream.accept()
                try server.endOfIntroduction()
                try server.send("-DENIED Redis is running in protected mode\r\n")
                server.finish()
                try expectFailure(.refused, says: "protected mode") { try call.value() }
            }
        }
    }
}
