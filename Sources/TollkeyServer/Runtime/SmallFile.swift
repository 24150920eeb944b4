import Glibc
package import TollkeyCore

/// A file read whole, up to a bound.
package struct SmallFile {
    package let bytes: [UInt8]
    /// Only its owner, who is this process's user, can read it.
    package let isPrivate: Bool
    /// Everybody can write to it.
    package let isOpenToAll: Bool

    package struct Unreadable: Error { package let message: String }

    /// At most `bytesMax` bytes of it; throws the system's word when it cannot be read.
    package init(_ path: String, bytesMax: Int) throws(Unreadable) {
        // Without O_NONBLOCK a pipe that nobody writes to would hold up the start, or a reload, for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Unreadable(message: SystemError.text(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Unreadable(message: SystemError.text(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Unreadable(message: "it is no regular file") }
        isOpenToAll = status.st_mode & 0o002 != 0
        isPrivate = status.st_mode & 0o077 == 0 && status.st_uid == geteuid()
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        var filled = 0
        while filled < bytesMax {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress.map { $0 + filled }, bytesMax - filled)
            }
            guard count >= 0 else { throw Unreadable(message: SystemError.text(errno)) }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytesMax - filled)
        self.bytes = bytes
    }

    /// One line end belongs to the file, not to the secret. Who can write to it chooses whose account is used.
    package static func secret(at path: String) throws(Unreadable) -> Secret {
        let file = try SmallFile(path, bytesMax: Secret.bytesMax + 2)
        guard !file.isOpenToAll else { throw Unreadable(message: "everybody can write to it; chmod 600 it") }
        var bytes = file.bytes
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return Secret(bytes)
    }
}
