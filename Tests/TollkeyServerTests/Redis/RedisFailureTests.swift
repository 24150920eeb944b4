import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct RedisFailureTests {
        @Test func `a server that went away and came back between two commands costs nothing`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    _ = try client.perform(["PING"])
                    try redis.restart()
                    #expect(try client.perform(["PING"]) == .text("PONG"))
                }
            }
        }

        @Test func `a server that is gone is tried again after the backoff, by itself`() throws {
            let clock = ManualClock()
            try withRedis { redis in
                try withClient(redis.settings, clock: clock) { client in
                    for _ in 0..<2 {
                        _ = try client.perform(["PING"])
                        redis.kill()
                        let first = try expectFailure(.unreachable) { try client.perform(["PING"]) }
                        try redis.restart()
                        let second = try expectFailure(.unreachable) { try client.perform(["PING"]) }
                        #expect(first == second)
                        // The answer in between has made the backoff short again.
                        clock.advance(by: .milliseconds(50))
                    }
                    #expect(try client.perform(["PING"]) == .text("PONG"))
                }
            }
        }

        @Test func `a server that dies over a command may have performed it`() throws {
            try withRedis { redis in
                try withClient(redis.settings) { client in
                    let call = try Aside { try client.perform(["BLPOP", "list", "0"]) }
                    try redis.holdsSomebody()
                    redis.kill()
                    try expectFailure(.unreachable, mayHaveRun: true) { try call.value() }
                    try expectFailure(.unreachable) { try client.perform(["PING"]) }
                }
            }
        }

        @Test func `a server that stands still is given up at the deadline, and its command not repeated`()
            throws
        {
            let clock = ManualClock()
            try withRedis { redis in
                try withClient(redis.settings, command: .milliseconds(50), clock: clock) { client in
                    _ = try client.perform(["PING"])
                    redis.pause()
                    let start = MonotonicTime.system()
                    try expectFailure(.timedOut, mayHaveRun: true) { try client.perform(["INCR", "n"]) }
                    let end = MonotonicTime.system()
                    #expect(start + TimeSpan(.milliseconds(50)) <= end && end < start + TimeSpan(.seconds(5)))
                    try expectFailure(.timedOut) { try client.perform(["INCR", "n"]) }
                    redis.resume()
                    #expect(try redis.ask("GET n") == "1")
                }
            }
        }

        @Test func `a server that stands still is not connected to beyond the deadline`() throws {
            let clock = ManualClock()
            try withRedis { redis in
                try withClient(redis.settings, connect: .milliseconds(50), clock: clock) { client in
                    redis.pause()
                    try expectFailure(.timedOut) { try client.perform(["INCR", "n"]) }
                    redis.resume()
                }
                try withClient(redis.settings) { client throws in
                    #expect(try client.perform(["GET", "n"]) == .null)
                }
            }
        }

        @Test func `the pause between tries doubles from 50 ms to 1 s, and in it nobody is connected to`()
            throws
        {
            let clock = ManualClock()
            let upstream = try RawUpstream()
            try withClient(.at(upstream), connect: .milliseconds(5), clock: clock) { client in
                for pause in [50, 100, 200, 400, 800, 1_000, 1_000] {
                    try expectFailure(.timedOut) { try client.perform(["PING"]) }
                    _ = try upstream.accept()
                    clock.advance(by: .milliseconds(pause) - .nanoseconds(1))
                    try expectFailure(.timedOut) { try client.perform(["PING"]) }
                    #expect(!upstream.hasCaller)
                    clock.advance(by: .nanoseconds(1))
                }
            }
        }

        @Test func `a server whose memory is full refuses writes, and the connection stays`() throws {
            try withRedis(["maxmemory 1"]) { redis in
                try withClient(redis.settings) { client in
                    try expectFailure(.outOfMemory) { try client.perform(["SET", "a", "1"]) }
                    let script = RedisScript("return redis.call('SET', KEYS[1], '1')")
                    try expectFailure(.outOfMemory) { try client.run(script, keys: ["a"]) }
                    #expect(try client.perform(["GET", "a"]) == .null)
                }
            }
        }

        @Test func `a replica takes no writes, and the next connection may find the primary`() throws {
            let clock = ManualClock()
            let primary = try RawUpstream(listens: false)
            try withRedis(["replicaof 127.0.0.1 \(primary.port)"]) { redis in
                try withClient(redis.settings, clock: clock) { client in
                    try expectFailure(.readOnly) { try client.perform(["SET", "a", "1"]) }
                    clock.advance(by: .milliseconds(50))
                    let script = RedisScript("return redis.call('SET', KEYS[1], '1')")
                    try expectFailure(.readOnly) { try client.run(script, keys: ["a"]) }
                    #expect(try redis.ask("REPLICAOF NO ONE") == "+OK")
                    clock.advance(by: .milliseconds(100))
                    #expect(try client.run(script, keys: ["a"]) == .text("OK"))
                }
            }
        }

        @Test func `a replica that has lost its primary and serves nobody is busy`() throws {
            let primary = try RawUpstream(listens: false)
            try withRedis(["replicaof 127.0.0.1 \(primary.port)", "replica-serve-stale-data no"]) { redis in
                try withClient(redis.settings) { client in
                    let failure = try expectFailure(.busy) { try client.perform(["GET", "a"]) }
                    #expect(failure.code == "MASTERDOWN")
                }
            }
        }

        @Test(arguments: [
            ("LOADING Redis is loading the dataset in memory", RedisFailure.Kind.busy),
            ("MASTERDOWN Link with MASTER is down", .busy), ("MOVED 3999 10.0.0.1:6381", .elsewhere),
            ("READONLY You can't write against a read only replica.", .readOnly),
        ])
        func `a server that is of no use for now is left`(_ words: String, _ kind: RedisFailure.Kind) throws {
            let upstream = try RawUpstream()
            try withClient(.at(upstream)) { client in
                let call = try Aside { try client.perform(["GET", "a"]) }
                let server = try upstream.welcome()
                _ = try server.through("$1\r\na\r\n")
                try server.send("-\(words)\r\n")
                try expectFailure(kind) { try call.value() }
                #expect(try server.hasEnded())
                try expectFailure(kind) { try client.perform(["GET", "a"]) }
            }
        }

        @Test func `a server that is loading its data when it is connected to is busy`() throws {
            let upstream = try RawUpstream()
            try withClient(.at(upstream)) { client in
                let call = try Aside { try client.perform(["GET", "a"]) }
                let server = try upstream.accept()
                try server.endOfIntroduction()
                try server.send("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n")
                try expectFailure(.busy) { try call.value() }
            }
        }

        @Test func `what was kept on disk is there after a restart`() throws {
            try withRedis(["appendonly yes", "appendfsync always"]) { redis in
                try withClient(redis.settings) { client in
                    _ = try client.perform(["SET", "a", "1"])
                    try redis.restart()
                    #expect(try client.perform(["GET", "a"]) == .bytes("1"))
                }
            }
        }
    }
}
