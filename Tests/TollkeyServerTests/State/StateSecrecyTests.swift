import Testing
import TollkeyCore
import TollkeyServer

extension EndToEnd {
    /// Among those that go one after the other: its socket to another process would be counted by others.
    struct StateSecrecyTests {
        @Test func `no secret is anywhere in the files`() throws {
            let folder = try StateFolder()
            let key = Secret("STATE-KEY-that-nobody-may-ever-see")
            let store = try folder.open([key])
            for round in 0..<100 {
                let content = "TOKEN-that-nobody-may-ever-see \(round)"
                try store.save(Secret(content), at: .token("\(round % 5)"))
            }
            let readable = try store.fingerprint([Secret("PASSWORD-that-nobody-may-ever-see")])
            #expect(!readable.isEmpty)
            // While it is open: the log is there too.
            let files = Files.all(in: folder.path)
            #expect(
                ["tollkey.db", "tollkey.db-wal", "tollkey.db-shm"].allSatisfy { name in
                    files.contains { $0.hasSuffix(name) }
                })
            let search = try Program.run(["grep", "-r", "-a", "-c", "nobody-may-ever-see", folder.path])
            #expect(search.text.split(separator: "\n").allSatisfy { $0.hasSuffix(":0") }, "\(search.text)")
            #expect(search.text.contains("tollkey.db-wal:0"))
        }
    }
}
