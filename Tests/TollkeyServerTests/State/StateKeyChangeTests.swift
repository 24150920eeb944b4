import Testing
import TollkeyCore
import TollkeyServer

struct StateKeyChangeTests {
    private let old = StateFolder.someKey
    private let next = Secret("the key after it, of thirty-two bytes or more")

    private func filled() throws -> StateFolder {
        let folder = try StateFolder()
        let store = try folder.open([old])
        for number in 0..<20 { try store.save(Secret("token \(number)"), at: .token("\(number)")) }
        return folder
    }

    private func isWhole(_ store: StateStore) throws -> Bool {
        let found = try store.all(kind: "token")
        return found.count == 20
            && found.allSatisfy { $0.value.content == Secret("token \($0.key.provider)") }
    }

    @Test func `what an older key has sealed is sealed anew with the first`() throws {
        let folder = try filled()
        #expect(try isWhole(folder.open([next, old])))
        #expect(folder.refusal([old]) == .wrongKey)
        #expect(try isWhole(folder.open([next])))
    }

    @Test func `versions and fingerprints stay as they are`() throws {
        let folder = try filled()
        let before = try folder.open([old])
        let version = try before.load(.token("3"))?.version
        let print = try before.fingerprint([Secret("password")])
        let after = try folder.open([next, old])
        #expect(try after.load(.token("3"))?.version == version)
        #expect(try after.fingerprint([Secret("password")]) == print)
    }

    @Test func `what the old key opens is in the files no more`() throws {
        let folder = try filled()
        let before = try sealed(in: folder)
        #expect(before.count > 20)
        _ = try folder.open([next, old])
        let bytes = try Files.bytes(folder.database)
        #expect(before.allSatisfy { !contains(bytes, $0) })
    }

    @Test func `a process that has it open with the old key writes nothing, and says why`() throws {
        let folder = try filled()
        let daemon = try folder.open([old])
        _ = try folder.open([next, old])
        #expect(kind { try daemon.save(Secret("late"), at: .token("3")) } == .wrongKey)
        #expect(kind { try daemon.load(.token("3")) } == .wrongKey)
        #expect(try isWhole(folder.open([next])))
    }

    @Test func `a record that does not open stops the change, and nothing is changed`() throws {
        let folder = try filled()
        try RawDatabase.run(
            "UPDATE record SET sealed = zeroblob(64) WHERE provider = '7'", in: folder.database)
        #expect(folder.refusal([next, old]) == .damaged)
        #expect(try folder.open([old]).load(.token("3"))?.content == Secret("token 3"))
    }

    @Test func `a crash at any step of the change leaves the one key or the other`() throws {
        let checks = try CrashShow.run(world: 0, from: filled()) { _, folder, fileSystem in
            _ = try folder.open([next, old], fileSystem: fileSystem)
        } check: { _, folder in
            let refusals = [folder.refusal([old]), folder.refusal([next])]
            #expect(refusals == [nil, .wrongKey] || refusals == [.wrongKey, nil])
            let isAllThere = try isWhole(folder.open([next, old]))
            #expect(isAllThere)
        }
        #expect(checks > 30)
    }

    /// Pieces of the enciphered records, as the database has them.
    private func sealed(in folder: StateFolder) throws -> [[UInt8]] {
        // A sealed record begins with the format and the nonce; its middle is as good as random.
        let bytes = try Files.bytes(folder.database)
        let rows = try RawDatabase.blobs(
            "SELECT sealed FROM record UNION SELECT key_check FROM state", in: folder.database)
        let pieces = rows.map { Array($0.suffix(16)) }
        #expect(pieces.allSatisfy { contains(bytes, $0) })
        return pieces
    }

    private func contains(_ bytes: [UInt8], _ piece: [UInt8]) -> Bool {
        bytes.indices.dropLast(piece.count - 1).contains {
            bytes[$0] == piece[0] && bytes[$0..<$0 + piece.count].elementsEqual(piece)
        }
    }
}
