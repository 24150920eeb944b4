import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct RedisCloseTests {
        @Test func `closing ends a command that waits`() throws {
            try withRedis { redis in
                try withClient(redis.settings, command: .seconds(600)) { client in
                    let call = try Aside { try client.perform(["BLPOP", "list", "0"]) }
                    try redis.holdsSomebody()
                    client.close()
                    try expectFailure(.closed, mayHaveRun: true) { try call.value() }
                    try expectFailure(.closed) { try client.perform(["PING"]) }
                    client.close()
                }
            }
        }

        @Test(arguments: [false, true])
        func `closing ends a connection that is being made`(_ isEncrypted: Bool) throws {
            let upstream = try RawUpstream()
            let settings = SharedSettings.at(upstream).with { $0.isEncrypted = isEncrypted }
            try withClient(settings, connect: .seconds(600)) { client in
                let call = try Aside { try client.perform(["INCR", "n"]) }
                let server = try upstream.accept()
                _ = try server.next()
                client.close()
                try expectFailure(.closed) { try call.value() }
            }
        }

        @Test func `a second thread waits for its turn`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let calls = try (0..<4).map { _ in
                        try Aside { for _ in 0..<100 { _ = try client.perform(["INCR", "n"]) } }
                    }
                    for call in calls { try call.value() }
                    #expect(try client.perform(["GET", "n"]) == .bytes("400"))
                }
            }
        }
    }
}
