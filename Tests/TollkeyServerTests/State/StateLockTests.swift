import Glibc
import Synchronization
import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Among those that go one after the other: its sockets to other processes would be counted by others.
    struct StateLockTests {
        private let place = RecordPlace.token("acme")
        private static let hasFlock = Program.isThere(["flock", "--version"])

        @Test func `a lock is one's alone until it is released`() throws {
            let folder = try StateFolder()
            let (daemon, command) = (try folder.open(), try folder.open())
            let lock = try #require(try daemon.tryLock(place))
            #expect(try command.tryLock(place) == nil && daemon.tryLock(place) == nil)
            lock.release()
            lock.release()
            #expect(try command.tryLock(place) != nil)
        }

        @Test func `a lock ends with its owner`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            do {
                let lock = try store.tryLock(place)
                #expect(try lock != nil && store.tryLock(place) == nil)
            }
            #expect(try store.tryLock(place) != nil)
        }

        @Test func `locks of different places have nothing to do with each other`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            let locks = try ["acme", "tuku", "jpay"].map { try store.tryLock(.token($0)) }
            #expect(locks.allSatisfy { $0 != nil })
        }

        @Test func `a lock stays while records are read and written`() throws {
            let folder = try StateFolder()
            let (daemon, command) = (try folder.open(), try folder.open())
            let lock = try daemon.tryLock(place)
            try daemon.save(Secret("1"), at: place)
            try command.save(Secret("2"), at: place)
            #expect(try lock != nil && command.tryLock(place) == nil)
        }

        @Test func `a lock that comes free is had`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            let held = Mutex(try store.tryLock(place))
            let pauses = Mutex(0)
            let lock = try store.lock(
                place, timeout: .seconds(1),
                pause: { _ in
                    let count = pauses.withLock { count in
                        count += 1
                        return count
                    }
                    if count == 3 { held.withLock { $0 = nil } }
                })
            #expect(pauses.withLock { $0 } == 3)
            #expect(try store.tryLock(place) == nil)
            lock.release()
        }

        @Test func `a lock that does not come free is waited for no longer than was said`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            let held = try store.tryLock(place)
            let waited = Mutex(Duration.zero)
            let failure = #expect(throws: StateFailure.self) {
                try store.lock(
                    place, timeout: .seconds(2), pause: { pause in waited.withLock { $0 += pause } })
            }
            #expect(failure?.kind == .busy && failure?.description.contains("acme/access") == true)
            #expect(waited.withLock { $0 } == .seconds(2) && held != nil)
        }

        @Test func `nobody waits for a lock who has been cancelled`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            let held = try store.tryLock(place)
            #expect(throws: StateFailure.self) {
                try store.lock(place, timeout: .seconds(3_600), isCancelled: { true })
            }
            #expect(held != nil)
        }

        @Test(.enabled(if: hasFlock))
        func `another process's lock counts, also while it is stopped, and ends with it`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            try #require(try store.tryLock(place)).release()
            let file = try #require(
                Files.all(in: folder.path + "/locks").first { !$0.hasSuffix("/opening") })
            let child = try Child(["flock", "--no-fork", file, "cat"])
            #expect(try store.tryLock(place) == nil)
            child.stop()
            #expect(try store.tryLock(place) == nil)
            child.kill()
            #expect(try store.tryLock(place) != nil)
        }

        @Test(.enabled(if: hasFlock)) func `our lock counts in another process`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            let lock = try store.tryLock(place)
            let file = try #require(
                Files.all(in: folder.path + "/locks").first { !$0.hasSuffix("/opening") })
            #expect(try Program.run(["flock", "--nonblock", file, "true"]).status == 1)
            lock?.release()
            #expect(try Program.run(["flock", "--nonblock", file, "true"]).status == 0)
        }

        @Test func `what was locked has left its file, so that there is never a second one`() throws {
            let folder = try StateFolder()
            let store = try folder.open()
            for _ in 0..<3 { try store.tryLock(place)?.release() }
            let files = Files.all(in: folder.path + "/locks").map { $0.split(separator: "/").last ?? "" }
            #expect(files.count == 2 && files.contains("opening"))
            #expect(files.contains { $0.count == 64 })
        }
    }
}
