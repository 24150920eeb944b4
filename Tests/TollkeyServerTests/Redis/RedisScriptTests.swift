import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct RedisScriptTests {
        private let counting = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")

        @Test func `a script is known by the digest that the server gives it`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let digest = try client.perform(["SCRIPT", "LOAD", RedisArgument(counting.source)])
                    #expect(digest == .bytes(try #require(counting.digest)))
                }
            }
        }

        @Test func `a script that the server does not know is sent with its source, and performed once`()
            throws
        {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    for round in 1...2 {
                        for count in 1...2 {
                            let reply = try client.run(counting, keys: ["n"], ["1"])
                            #expect(reply == .integer(Int64(2 * (round - 1) + count)))
                        }
                        #expect(try client.perform(["SCRIPT", "FLUSH"]) == .text("OK"))
                    }
                    let calls = try redis.ask("INFO commandstats")
                    #expect(
                        calls.contains("cmdstat_eval:calls=2,") && calls.contains("cmdstat_evalsha:calls=4,"))
                }
            }
        }

        @Test func `a script works on after a restart of the server`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    #expect(try client.run(counting, keys: ["n"], ["5"]) == .integer(5))
                    try redis.restart()
                    #expect(try client.run(counting, keys: ["n"], ["5"]) == .integer(5))
                }
            }
        }

        @Test func `a script's error says where, and that what it had done stays`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let script = RedisScript("redis.call('INCR', KEYS[1])\nreturn 1 + nil")
                    let arguments = [RedisArgument(canary)]
                    try expectFailure(.script, mayHaveRun: true, says: "user_script:2: attempt to perform") {
                        try client.run(script, keys: ["n"], arguments)
                    }
                    #expect(try client.perform(["GET", "n"]) == .bytes("1"))
                    try expectFailure(.script, mayHaveRun: true) {
                        try client.run(RedisScript("no lua"), arguments)
                    }
                }
            }
        }

        @Test func `a script's own error is told by its first word`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let script = RedisScript("return redis.error_reply('FENCED ' .. ARGV[1])")
                    let failure = try expectFailure(.script, mayHaveRun: true) {
                        try client.run(script, [RedisArgument(canary)])
                    }
                    #expect(failure.code == "FENCED")
                }
            }
        }
    }
}
