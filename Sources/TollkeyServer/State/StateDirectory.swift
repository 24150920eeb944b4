import Glibc

/// The directory of the state: who may be in it, and files that appear in it whole or not at all.
///
/// Nobody but its owner can write to it, which is what makes everything else here safe. Files of the database are
/// touched by SQLite only: closing any descriptor of theirs would end SQLite's locks (fcntl(2), "advisory locks").
struct StateDirectory: Sendable {
    /// Absolute, and led through no symbolic link.
    let path: String
    private let owner: uid_t
    private let group: gid_t

    static let locks = "locks"

    /// Makes it when there is none; refuses one that others can write to.
    init(_ given: String) throws(StateFailure) {
        guard mkdir(given, 0o700) == 0 || errno == EEXIST else {
            throw StateFailure(
                .directory, "the state directory \(given) cannot be made: \(SystemError.text(errno))")
        }
        var status = stat()
        guard let absolute = realpath(given, nil), stat(absolute, &status) == 0 else {
            throw StateFailure(
                .directory, "the state directory \(given) cannot be used: \(SystemError.text(errno))")
        }
        defer { free(absolute) }
        path = String(cString: absolute)
        owner = status.st_uid
        group = status.st_gid
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StateFailure(.directory, "\(given) is no directory; name one as 'state'")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw StateFailure(
                .directory,
                "others can write to the state directory \(given); chmod 700 it, or name a directory inside it, which is then made"
            )
        }
        guard owner == geteuid() || geteuid() == 0 else {
            throw StateFailure(
                .directory,
                "the state directory \(given) belongs to user \(owner), and this is user \(geteuid()); run as that user"
            )
        }
        guard mkdir(file(Self.locks), 0o700) == 0 || errno == EEXIST else {
            throw unusable(Self.locks, errno)
        }
        try giveToOwner(Self.locks)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// What the system says of a file; nil when there is none. Follows no link, opens nothing.
    func status(_ name: String) throws(StateFailure) -> stat? {
        var status = stat()
        if lstat(file(name), &status) == 0 { return status }
        guard errno == ENOENT else { throw unusable(name, errno) }
        return nil
    }

    /// Whether the file belongs to somebody who may decide over this process: root, its user or, when root looks after
    /// another user's state, that user.
    func isTrusted(_ status: stat) -> Bool {
        status.st_uid == 0 || status.st_uid == geteuid() || status.st_uid == owner
    }

    /// Opens a file, never through a link, never waiting for a pipe's other end; nil when there is none.
    func open(_ name: String, _ flags: Int32) throws(StateFailure) -> Int32? {
        let descriptor = Glibc.open(file(name), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if descriptor >= 0 { return descriptor }
        guard errno == ENOENT else { throw unusable(name, errno) }
        return nil
    }

    /// Makes the file with all of `content`, for its owner alone, durable; leaves one alone that is there.
    func make(_ name: String, _ content: [UInt8]) throws(StateFailure) {
        let passing = "\(name).\(Hex.text(try Sealer.random(8)))"
        let descriptor = Glibc.open(
            file(passing), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw unusable(name, errno) }
        defer {
            close(descriptor)
            unlink(file(passing))
        }
        // The umask may have taken bits away; root may be at work in another user's directory.
        guard fchmod(descriptor, 0o600) == 0, owner == geteuid() || fchown(descriptor, owner, group) == 0,
            write(descriptor, content, content.count) == content.count, fsync(descriptor) == 0,
            link(file(passing), file(name)) == 0 || errno == EEXIST
        else { throw unusable(name, errno) }
        try makeNamesDurable()
    }

    /// Writes to a file, so that whoever watches it is told; makes it when there is none.
    func touch(_ name: String) throws(StateFailure) {
        var opened = try open(name, O_WRONLY)
        if opened == nil {
            try make(name, [])
            opened = try open(name, O_WRONLY)
        }
        guard let descriptor = opened else { throw unusable(name, ENOENT) }
        defer { close(descriptor) }
        guard pwrite(descriptor, "\n", 1, 0) == 1 else { throw unusable(name, errno) }
    }

    /// Gives to the directory's owner what root has made in it.
    private func giveToOwner(_ name: String) throws(StateFailure) {
        guard geteuid() == 0, let status = try status(name), status.st_uid != owner else { return }
        guard lchown(file(name), owner, group) == 0 else { throw unusable(name, errno) }
    }

    func rename(_ name: String, to other: String) throws(StateFailure) {
        guard Glibc.rename(file(name), file(other)) == 0 else { throw unusable(other, errno) }
        try makeNamesDurable()
    }

    func remove(_ name: String) throws(StateFailure) {
        guard unlink(file(name)) == 0 || errno == ENOENT else { throw unusable(name, errno) }
    }

    private func makeNamesDurable() throws(StateFailure) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unusable("", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw unusable("", errno) }
    }

    func unusable(_ name: String, _ code: Int32) -> StateFailure {
        let kind: StateFailure.Kind = code == EACCES || code == EPERM || code == ELOOP ? .directory : .system
        return StateFailure(kind, "\(file(name)) cannot be used: \(SystemError.text(code))")
    }
}
