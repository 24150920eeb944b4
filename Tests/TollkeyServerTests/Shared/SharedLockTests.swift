import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct SharedLockTests {
        private let place = RecordPlace.access("acme")

        @Test func `one replica holds a lock, and the next gets it when it is released`() throws {
            try withRedis { redis in
                let (a, b) = (try Replica(redis), try Replica(redis))
                let lock = try a.hold(place)
                #expect(kind { try b.hold(place) } == .busy)
                #expect(try b.hold(.access("other")).allowsCall)
                lock.release()
                let next = try b.hold(place)
                #expect(kind { try a.hold(place) } == .busy)
                lock.release()
                #expect(kind { try a.hold(place) } == .busy, "a lock is released once")
                next.release()
            }
        }

        @Test func `a lock ends by itself, also when its holder is gone`() throws {
            try withRedis { redis in
                let a = try Replica(redis)
                let lock = try a.hold(place)
                let left = try redis.ask("PTTL tollkey:lock:credential:acme:access")
                #expect((1...75_000).contains(Int(left.dropFirst()) ?? 0))
                lock.release()
            }
        }

        @Test func `a process that was killed leaves its lock to the next one of its machine`() throws {
            try withRedis { redis in
                let a = try Replica(redis)
                _ = try redis.ask("SET tollkey:lock:credential:acme:access \(a.store.replica):17")
                #expect(kind { try Replica(redis).hold(place) } == .busy)
                try a.hold(place).release()
                try Replica(redis).hold(place).release()
            }
        }

        @Test func `a holder whose lock ran out neither marks nor overwrites what the next one has written`()
            throws
        {
            try withRedis { redis in
                let (a, b) = (try Replica(redis), try Replica(redis))
                let version = try a.store.save(Secret("1"), at: place, replacing: 0)
                let lock = try a.hold(place)
                try redis.endLock(place)
                #expect(kind { try a.store.mark(Secret("a"), at: place, replacing: version) } == .superseded)
                let next = try b.hold(place)
                #expect(kind { try a.store.mark(Secret("a"), at: place, replacing: version) } == .superseded)
                let marked = try b.store.mark(Secret("b"), at: place, replacing: version)
                #expect(kind { try a.store.save(Secret("a"), at: place, replacing: nil) } == .superseded)
                lock.release()
                #expect(kind { try a.hold(place) } == .busy, "it was not its own any more")
                try b.store.save(Secret("b 2"), at: place, replacing: marked)
                next.release()
                #expect(try a.text(place) == "b 2")
            }
        }

        @Test func `fences grow also when Redis has forgotten the last one`() throws {
            try withRedis { redis in
                let a = try Replica(redis)
                func fence() throws -> Int64 {
                    let lock = try a.hold(place)
                    defer { lock.release() }
                    return try #require(Int64(redis.ask("GET tollkey:fence:credential:acme:access")))
                }
                let first = try fence()
                let second = try fence()
                #expect(second > first)
                try redis.restart()
                #expect(try fence() > second)
            }
        }

        @Test func `nothing is marked without the lock, without Redis, or on another server than the lock's`()
            throws
        {
            try withRedis { redis in
                let clock = ManualClock()
                let a = try Replica(redis, clock: clock)
                let version = try a.store.save(Secret("1"), at: place, replacing: 0)
                #expect(kind { try a.store.mark(Secret("m"), at: place, replacing: version) } == .unshared)
                let lock = try a.hold(place)
                try redis.restart()
                // All that was there is back, as after a failover, and the server is another one.
                let value = "\(a.store.replica):1"
                _ = try redis.ask("SET tollkey:lock:credential:acme:access \(value)")
                #expect(!a.store.look(at: [place]))
                #expect(kind { try a.store.mark(Secret("m"), at: place, replacing: version) } == .superseded)
                lock.release()
                redis.kill()
                let alone = try a.hold(place)
                #expect(alone.allowsCall)
                #expect(kind { try a.store.mark(Secret("m"), at: place, replacing: version) } == .unshared)
                alone.release()
            }
        }

        @Test func `nothing is marked until all could put back what Redis has lost`() throws {
            try withRedis { redis in
                let a = try Replica(redis, grace: .seconds(3_600))
                let version = try a.store.save(Secret("1"), at: place, replacing: 0)
                let lock = try a.hold(place)
                defer { lock.release() }
                #expect(kind { try a.store.mark(Secret("m"), at: place, replacing: version) } == .unshared)
                try redis.settleRecords()
                let marked = try a.store.mark(Secret("m"), at: place, replacing: version)
                // One that is missing was lost, and there may be later ones of it.
                _ = try redis.ask("DEL tollkey:record:credential:acme:access")
                #expect(!a.store.look(at: [place]))
                #expect(kind { try a.store.mark(Secret("m"), at: place, replacing: marked) } == .unshared)
            }
        }

        @Test func `a call is not begun when it could outlast the lock`() throws {
            try withRedis { redis in
                let clock = ManualClock()
                let lock = try Replica(redis, clock: clock).hold(place)
                clock.advance(by: .milliseconds(29_999))
                #expect(lock.allowsCall)
                clock.advance(by: .milliseconds(1))
                #expect(!lock.allowsCall)
                lock.release()
            }
        }
    }
}
