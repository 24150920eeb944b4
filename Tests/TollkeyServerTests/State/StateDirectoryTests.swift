import Glibc
import Testing
import TollkeyCore
import TollkeyServer

struct StateDirectoryTests {
    @Test func `the directory and all files are their owner's alone`() throws {
        let folder = try StateFolder()
        let store = try folder.open([])
        try store.save(Secret("token"), at: .token("acme"))
        try store.ring()
        let lock = try store.tryLock(.token("acme"))
        #expect(Files.mode(folder.path) == 0o700 && lock != nil)
        let paths = Files.all(in: folder.path)
        #expect(paths.count == 8, "\(paths)")
        for path in paths {
            let isFolder = Files.status(path).st_mode & S_IFMT == S_IFDIR
            #expect(Files.mode(path) == (isFolder ? 0o700 : 0o600), "\(path)")
        }
    }

    @Test func `a directory that others can write to is refused`() throws {
        for mode: mode_t in [0o770, 0o702, 0o777, 0o1777] {
            let folder = try StateFolder()
            mkdir(folder.path, 0o700)
            chmod(folder.path, mode)
            let failure = try #require(folder.failure())
            #expect(failure.kind == .directory && failure.description.contains("chmod 700"))
            #expect(Files.all(in: folder.path) == [])
        }
    }

    @Test func `a directory that others can look into is used`() throws {
        let folder = try StateFolder()
        mkdir(folder.path, 0o700)
        chmod(folder.path, 0o755)
        #expect(folder.refusal() == nil && Files.mode(folder.path) == 0o755)
    }

    @Test func `a directory behind a link is used, as systemd has it`() throws {
        let folder = try StateFolder()
        mkdir(folder.root + "/private", 0o700)
        symlink("private", folder.path)
        try folder.open().save(Secret("token"), at: .token("acme"))
        #expect(Files.exists(folder.root + "/private/tollkey.db"))
    }

    @Test func `what cannot be a directory is told`() throws {
        let folder = try StateFolder()
        try Files.write([], to: folder.path)
        #expect(folder.refusal() == .directory)
        #expect(kind { try StateStore(directory: folder.root + "/no/state") } == .directory)
    }

    @Test func `a database that others can write to is refused, one that they can read is closed to them`()
        throws
    {
        let folder = try StateFolder()
        _ = try folder.open()
        chmod(folder.database, 0o660)
        #expect(folder.refusal() == .directory)
        chmod(folder.database, 0o644)
        #expect(folder.refusal() == nil && Files.mode(folder.database) == 0o600)
    }

    @Test(.enabled(if: geteuid() == 0)) func `what root makes in another user's directory is that user's`()
        throws
    {
        let folder = try StateFolder()
        mkdir(folder.path, 0o700)
        chown(folder.path, 12_345, 12_346)
        let store = try folder.open([])
        try store.save(Secret("token"), at: .token("acme"))
        try store.ring()
        let lock = try store.tryLock(.token("acme"))
        #expect(lock != nil)
        for path in Files.all(in: folder.path) {
            let status = Files.status(path)
            #expect(status.st_uid == 12_345 && status.st_gid == 12_346, "\(path)")
        }
        #expect(folder.refusal([]) == nil)
    }
}
