import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct RedisClientTests {
        @Test func `each kind of reply comes as what it is`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client throws in
                    #expect(try client.perform(["SET", "a", "1"]) == .text("OK"))
                    #expect(try client.perform(["GET", "a"]) == .bytes("1"))
                    #expect(try client.perform(["INCRBY", "a", RedisArgument(-42)]) == .integer(-41))
                    #expect(try client.perform(["GET", "missing"]) == .null)
                    #expect(try client.perform(["MGET", "a", "b"]) == .array([.bytes("-41"), .null]))
                    #expect(try client.perform(["KEYS", "z*"]) == .array([]))
                }
            }
        }

        @Test func `arguments and replies may be any bytes, and none`() throws {
            let all = RedisArgument((0...255).map { UInt8($0) } + Array("\r\n$5\r\n".utf8))
            try withRedis { redis in
                try withClient(redis.settings) { client throws in
                    #expect(try client.perform(["SET", all, all]) == .text("OK"))
                    #expect(try client.perform(["GET", all]) == .bytes(all.bytes))
                    #expect(try client.perform(["ECHO", ""]) == .bytes(""))
                    #expect(try client.perform(["SET", "", RedisArgument(Secret("s"))]) == .text("OK"))
                    #expect(try client.perform(["GET", ""]) == .bytes("s"))
                }
            }
        }

        @Test func `a long pipeline is answered in its order`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let commands = (0..<10_000).map { _ -> RedisCommand in ["INCR", "count"] }
                    let replies = try client.pipeline(commands)
                    #expect(replies == (1...10_000).map { .integer($0) })
                    #expect(try client.pipeline([]) == [])
                }
            }
        }

        @Test func `an error in a pipeline is one command's`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let replies = try client.pipeline([["SET", "a", "x"], ["INCR", "a"], ["GET", "a"]])
                    guard case .error(let no) = replies[1] else { throw RawConnection.Failure.late }
                    #expect(no.code == "ERR" && replies[0] == .text("OK") && replies[2] == .bytes("x"))
                }
            }
        }

        @Test func `an error of the server's is thrown, without what it quotes, and the connection stays`()
            throws
        {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    try expectFailure(.command, says: "(ERR)") {
                        try client.perform(["NOSUCH", RedisArgument(canary)])
                    }
                    _ = try client.perform(["SET", "a", "text"])
                    let failure = try expectFailure(.command) { try client.perform(["LPUSH", "a", "1"]) }
                    #expect(failure.code == "WRONGTYPE")
                    #expect(try client.perform(["GET", "a"]) == .bytes("text"))
                    #expect(try redis.ask("INFO stats").contains("total_connections_received:2\r\n"))
                }
            }
        }

        @Test func `a name is looked up, and the database is the one that is configured`() throws {
            try withRedis { redis in
                let settings = redis.settings.with {
                    $0.host = "localhost"
                    $0.database = 3
                }
                try withClient(settings) { client in _ = try client.perform(["SET", "a", "1"]) }
                #expect(try redis.ask("INFO keyspace").contains("db3:keys=1"))
                try withClient(settings.with { $0.database = 4 }) { client in
                    try expectFailure(.refused, says: "no database 4") { try client.perform(["PING"]) }
                }
            }
        }

        @Test func `a name without an address is a failure of its own`() throws {
            try withClient(SharedSettings(host: "nowhere.invalid")) { client in
                try expectFailure(.unreachable, says: "nowhere.invalid has no address") {
                    try client.perform(["PING"])
                }
            }
        }

        @Test func `the server shows its operator who is connected`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    _ = try client.perform(["PING"])
                    #expect(try redis.ask("CLIENT LIST").contains(" name=tollkey "))
                }
            }
        }

        @Test func `what is beyond a bound is not sent`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let room = RedisCommand.bytesMax - "*2\r\n$4\r\nECHO\r\n$1048544\r\n\r\n".utf8.count
                    let most = RedisArgument([UInt8](repeating: 7, count: room))
                    _ = try client.perform(["STRLEN", "a"])
                    #expect(try client.pipeline([["ECHO", most]]).count == 1)
                    let more = RedisArgument(most.bytes + [7])
                    try expectFailure(.malformed) { try client.perform(["ECHO", more]) }
                    try expectFailure(.malformed) { try client.perform([]) }
                    let many = [RedisCommand](repeating: ["PING"], count: RedisCommand.togetherMax)
                    #expect(try client.pipeline(many).count == many.count)
                    try expectFailure(.malformed) { try client.pipeline(many + [["PING"]]) }
                }
            }
        }

        @Test func `nothing of a client is left behind`() throws {
            try withRedis { redis in
                let before = ProcessFacts.descriptors()
                for _ in 0..<5 {
                    try withClient(redis.settings) { client in _ = try client.perform(["PING"]) }
                }
                #expect(ProcessFacts.descriptors() == before)
            }
        }
    }
}
