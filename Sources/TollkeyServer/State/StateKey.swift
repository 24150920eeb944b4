import Glibc
import TollkeyCore

/// The key of the state when none is configured: the file `key` in the state directory.
///
/// 64 hexadecimal digits and a line end. The digits themselves are the key, so that the file can also be named as a
/// configured one.
enum StateKey {
    static let name = "key"
    /// A configured key must be at least so long.
    static let bytesMin = 32
    /// As many configured keys at most: one that seals, and others that still open.
    static let countMax = 8

    private static let digits = 64

    static func check(_ given: [Secret]) throws(StateFailure) {
        guard given.count <= countMax else {
            throw StateFailure(
                .key, "more than \(countMax) state keys are given; older ones are not needed any more")
        }
        guard given.allSatisfy({ $0.reveal { $0.count >= bytesMin } }) else {
            throw StateFailure(
                .key, "a state key must have at least \(bytesMin) bytes; 'openssl rand -hex 32' makes one")
        }
    }

    /// Makes one for a state that begins, unless there is one. Of several processes all get the same.
    static func make(in directory: StateDirectory) throws(StateFailure) -> Secret {
        let digits = Hex.text(try Sealer.random(digits / 2))
        if try directory.status(name) == nil { try directory.make(name, Array("\(digits)\n".utf8)) }
        return try read(in: directory)
    }

    /// The one that a state was begun with.
    static func read(in directory: StateDirectory) throws(StateFailure) -> Secret {
        let path = directory.file(name)
        guard let descriptor = try directory.open(name, O_RDONLY) else {
            throw StateFailure(
                .key,
                "\(path) is missing, and nothing else opens the state beside it; put it back from a backup, or name the key as 'state_key'"
            )
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw directory.unusable(name, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StateFailure(.key, "\(path) is no regular file")
        }
        guard directory.isTrusted(status) else {
            throw StateFailure(
                .key,
                "\(path) belongs to user \(status.st_uid), who could exchange it; chown it to who runs Tollkey"
            )
        }
        guard status.st_mode & 0o077 == 0 else {
            throw StateFailure(
                .key,
                "others can read \(path); chmod 600 it, and if they may have, change the key (docs/state.md)")
        }
        var bytes = [UInt8](repeating: 0, count: digits + 2)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw directory.unusable(name, errno) }
        let key = Array(bytes.prefix(digits))
        guard count == digits || (count == digits + 1 && bytes[digits] == UInt8(ascii: "\n")),
            key.allSatisfy(Hex.isDigit)
        else {
            throw StateFailure(
                .key, "\(path) is not \(digits) hexadecimal digits and a line end; put it back from a backup")
        }
        return Secret(key)
    }
}
