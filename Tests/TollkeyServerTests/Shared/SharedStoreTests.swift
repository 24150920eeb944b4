import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    struct SharedStoreTests {
        private let place = RecordPlace.access("acme")

        @Test func `what one replica saves, another one reads, and nobody else`() throws {
            try withRedis { redis in
                let (a, b) = (try Replica(redis), try Replica(redis))
                let version = try a.store.save(Secret("s3cr3t"), at: place, replacing: 0)
                #expect(try b.text(place) == "s3cr3t")
                #expect(try b.store.load(place)?.version == version)
                #expect(try b.store.copy(place)?.version == version, "a copy is on its disk now")
                #expect(
                    try redis.ask("HGET tollkey:record:credential:acme:access sealed").contains("s3cr3t")
                        == false)
                #expect(try Replica(redis, prefix: "other").text(place) == nil)
                let parts = [Secret("an account")]
                #expect(try a.store.fingerprints(parts).first == b.store.fingerprints(parts).first)
            }
        }

        @Test func `of two who have read the same version, one replaces it`() throws {
            try withRedis { redis in
                let (a, b) = (try Replica(redis), try Replica(redis))
                let first = try a.store.save(Secret("1"), at: place, replacing: 0)
                #expect(kind { try b.store.save(Secret("2"), at: place, replacing: 0) } == .superseded)
                let second = try b.store.save(Secret("2"), at: place, replacing: first)
                #expect(second > first)
                #expect(kind { try a.store.save(Secret("3"), at: place, replacing: first) } == .superseded)
                #expect(kind { try a.store.remove(place, replacing: first) } == .superseded)
                #expect(try a.text(place) == "2")
                #expect(try a.store.save(Secret("4"), at: place, replacing: nil) > second)
            }
        }

        @Test func `what is removed is removed for all, and no copy brings it back`() throws {
            try withRedis { redis in
                let (a, b) = (try Replica(redis), try Replica(redis))
                let version = try a.store.save(Secret("1"), at: place, replacing: 0)
                #expect(try b.text(place) == "1")
                try a.store.remove(place, replacing: version)
                #expect(b.store.look(at: [place]))
                #expect(try b.text(place) == nil)
                #expect(try b.store.copy(place) == nil)
                try b.store.save(Secret("2"), at: place, replacing: 0)
                #expect(try a.text(place) == "2")
            }
        }

        @Test func `a version that nobody gives is no record, and has no next one`() throws {
            try withRedis { redis in
                let a = try Replica(redis)
                _ = try redis.ask(
                    "HSET tollkey:record:credential:acme:access version \(Int64.max) sealed x fence 0")
                #expect(try a.store.save(Secret("1"), at: place, replacing: nil) < Int64.max)
                #expect(try a.store.copy(place)?.content == Secret("1"))
            }
        }

        @Test func `a look finds what is new, once`() throws {
            try withRedis { redis in
                let (a, b) = (try Replica(redis), try Replica(redis))
                #expect(!b.store.look(at: [place]))
                try a.store.save(Secret("1"), at: place, replacing: nil)
                #expect(b.store.look(at: [place, .access("other")]))
                #expect(!b.store.look(at: [place, .access("other")]))
                #expect(try b.store.copy(place)?.content == Secret("1"))
            }
        }

        @Test func `what Redis has lost comes back from whoever has it, the latest of all`() throws {
            try withRedis { redis in
                let clock = ManualClock()
                let log = LogBook()
                let (a, b) = (try Replica(redis, clock: clock, log: log), try Replica(redis, clock: clock))
                try a.store.save(Secret("1"), at: place, replacing: nil)
                #expect(try b.text(place) == "1")
                try a.store.save(Secret("2"), at: place, replacing: nil)
                try redis.restart()
                #expect(!b.store.look(at: [place]))
                #expect(try b.text(place) == "1", "the older one, for now")
                #expect(!a.store.look(at: [place]))
                #expect(b.store.look(at: [place]))
                #expect(try b.text(place) == "2")
                #expect(log.lines.contains { $0.hasPrefix("warning record put back into Redis") })
            }
        }

        @Test func `without Redis records are kept here, and there when it is back; it is said once`() throws
        {
            try withRedis { redis in
                let clock = ManualClock()
                let log = LogBook()
                let (a, b) = (try Replica(redis, clock: clock, log: log), try Replica(redis, clock: clock))
                let version = try a.store.save(Secret("1"), at: place, replacing: 0)
                redis.kill()
                #expect(try a.text(place) == "1")
                let next = try a.store.save(Secret("2"), at: place, replacing: version)
                #expect(kind { try a.store.save(Secret("3"), at: place, replacing: version) } == .superseded)
                #expect(try a.store.load(place)?.version == next)
                #expect(a.store.fault()?.contains("does not accept a connection") == true)
                try redis.restart()
                clock.advance(by: .seconds(2))
                #expect(!a.store.look(at: [place]))
                #expect(try b.text(place) == "2")
                #expect(a.store.fault() == nil)
                #expect(log.lines.count { $0.hasPrefix("error tokens are not shared") } == 1)
                #expect(log.lines.count { $0.hasPrefix("notice tokens are shared again") } == 1)
            }
        }

        @Test
        func `what a state had before it was shared loses against what is shared, and is not lost without`()
            throws
        {
            try withRedis { redis in
                let (folder, other) = (try StateFolder(), try StateFolder())
                for round in 1...3 { try folder.open().save(Secret("own \(round)"), at: place) }
                try other.open().save(Secret("other"), at: place)
                let a = try Replica(redis, in: folder)
                let kept = try #require(try a.store.load(place))
                #expect(kept.content == Secret("own 3"))
                let parts = [Secret("an account")]
                #expect(try a.store.fingerprints(parts).contains(folder.open().fingerprint(parts)))
                #expect(try Replica(redis).text(place) == nil, "it is not shared by being read")
                try a.store.save(Secret("shared"), at: place, replacing: kept.version)
                #expect(try Replica(redis, in: other).text(place) == "shared")
            }
        }

        @Test func `another state key opens nothing, says so, and does no harm`() throws {
            try withRedis { redis in
                let (one, two) = (StateFolder.someKey, Secret("another state key, as long as it must be"))
                let a = try Replica(redis, keys: [one])
                let version = try a.store.save(Secret("1"), at: place, replacing: 0)
                let log = LogBook()
                let b = try Replica(redis, keys: [two], log: log)
                let failure = try #require(throws: StateFailure.self) { try b.store.load(place) }
                #expect(failure.kind == .wrongKey)
                #expect(failure.description.contains("all replicas need the same 'state_key'"))
                for _ in 0..<3 { #expect(!b.store.look(at: [place])) }
                #expect(log.lines.count { $0.hasPrefix("error shared record cannot be used") } == 1)
                #expect(try a.store.load(place)?.version == version)

                let both = try Replica(redis, keys: [two, one])
                #expect(try both.text(place) == "1")
                #expect(try b.text(place) == "1", "it was sealed anew with the first of the two")
                #expect(kind { try a.store.load(place) } == .wrongKey)
                let parts = [Secret("an account")]
                #expect(try both.store.fingerprints(parts).contains(a.store.fingerprints(parts)[0]))
            }
        }
    }
}
