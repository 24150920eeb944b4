import Glibc
import Testing
import TollkeyCore
import TollkeyServer

struct StateKeyTests {
    private let place = RecordPlace.token("acme")

    @Test func `without a configured key one is made, and used from then on`() throws {
        let folder = try StateFolder()
        try folder.open([]).save(Secret("token"), at: place)
        let key = try Files.bytes(folder.key)
        #expect(key.count == 65 && key.last == UInt8(ascii: "\n"))
        #expect(key.dropLast().allSatisfy { Array("0123456789abcdef".utf8).contains($0) })
        #expect(try folder.open([]).load(place)?.content == Secret("token"))
        #expect(try Files.bytes(folder.key) == key)
        let other = try StateFolder()
        _ = try other.open([])
        #expect(try Files.bytes(other.key) != key)
    }

    @Test func `the key's file can be named as a configured key`() throws {
        let folder = try StateFolder()
        try folder.open([]).save(Secret("token"), at: place)
        let text = Secret(try Files.bytes(folder.key).dropLast())
        unlink(folder.key)
        #expect(try folder.open([text]).load(place)?.content == Secret("token"))
    }

    @Test func `with a configured key no file is made`() throws {
        let folder = try StateFolder()
        _ = try folder.open()
        #expect(!Files.exists(folder.key))
    }

    @Test func `a key's file that others can read is refused`() throws {
        for mode: mode_t in [0o640, 0o604, 0o622, 0o700 | 0o001] {
            let folder = try StateFolder()
            _ = try folder.open([])
            chmod(folder.key, mode)
            #expect(folder.refusal([]) == .key)
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func `a key's file of another user's is refused`() throws {
        let folder = try StateFolder()
        _ = try folder.open([])
        chown(folder.key, 12_345, 12_345)
        #expect(folder.refusal([]) == .key)
    }

    @Test func `a key that is missing is not made anew for a state that there is`() throws {
        let folder = try StateFolder()
        try folder.open([]).save(Secret("token"), at: place)
        let key = try Files.bytes(folder.key)
        unlink(folder.key)
        let failure = try #require(folder.failure([]))
        #expect(failure.kind == .key && failure.description.contains("missing"))
        #expect(!Files.exists(folder.key))
        try Files.write(key, to: folder.key)
        #expect(try folder.open([]).load(place)?.content == Secret("token"))
    }

    @Test func `a key's file that is something else is refused`() throws {
        let folder = try StateFolder()
        _ = try folder.open([])
        let key = try Files.bytes(folder.key)
        for bad in [[], Array(key.dropLast(2)), key + key, Array("z".utf8) + key.dropFirst(), key + [10]] {
            try Files.write(bad, to: folder.key)
            #expect(folder.refusal([]) == .key)
        }
        try Files.write(Array(key.dropLast()), to: folder.key)
        #expect(folder.refusal([]) == nil)
        unlink(folder.key)
        mkfifo(folder.key, 0o600)
        #expect(folder.refusal([]) == .key)
        unlink(folder.key)
        symlink("/dev/zero", folder.key)
        #expect(folder.refusal([]) == .directory)
    }

    @Test func `a configured key has at least 32 bytes`() throws {
        let folder = try StateFolder()
        #expect(folder.refusal([Secret(String(repeating: "k", count: 31))]) == .key)
        #expect(folder.refusal([StateFolder.someKey, Secret("")]) == .key)
        #expect(!Files.exists(folder.path))
        #expect(folder.refusal([Secret(String(repeating: "k", count: 32))]) == nil)
    }

    @Test func `eight keys may be configured, and no more`() throws {
        let keys = (0...8).map { Secret("key \($0) of a state, of thirty-two bytes") }
        let folder = try StateFolder()
        #expect(folder.refusal(keys) == .key)
        #expect(folder.refusal(Array(keys.dropLast())) == nil)
    }

    @Test func `a wrong key opens nothing and changes nothing`() throws {
        let folder = try StateFolder()
        try folder.open().save(Secret("token"), at: place)
        let before = try Files.bytes(folder.database)
        let failure = try #require(folder.failure([Secret("another key, as long as it has to be")]))
        #expect(failure.kind == .wrongKey && failure.description.contains("state_key"))
        #expect(folder.refusal([]) == .key)
        #expect(try Files.bytes(folder.database) == before)
        #expect(try folder.open().load(place)?.content == Secret("token"))
    }

    @Test func `a file from another state is a wrong key`() throws {
        let (folder, other) = (try StateFolder(), try StateFolder())
        _ = (try folder.open([]), try other.open([]))
        try Files.write(Files.bytes(other.key), to: folder.key)
        #expect(folder.refusal([]) == .wrongKey)
    }

    @Test func `threads that begin a state at once have the same`() async throws {
        let folder = try StateFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask { try folder.open([]).save(Secret("token"), at: .token("\(thread)")) }
            }
            try await group.waitForAll()
        }
        #expect(try folder.open([]).all(kind: "token").count == 8)
    }

    @Test func `processes that begin a state at once have the same`() async throws {
        let folder = try StateFolder()
        let path = folder.path
        await withTaskGroup(of: Void.self) { group in
            for process in 0..<3 {
                group.addTask {
                    await #expect(processExitsWith: .success) {
                        [path = path as String, process = process as Int] in
                        let store = try StateStore(directory: path)
                        for round in 0..<10 {
                            try store.save(Secret("token \(round)"), at: .token("\(process)"))
                        }
                    }
                }
            }
        }
        let found = try folder.open([]).all(kind: "token")
        #expect(found.count == 3 && found.values.allSatisfy { $0.content == Secret("token 9") })
        #expect(found.values.map(\.version).max() == 30)
    }
}
