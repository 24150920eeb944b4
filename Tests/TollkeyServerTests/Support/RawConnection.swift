import Glibc

/// POLLRDHUP, which Glibc's headers hide without _GNU_SOURCE.
private let peerHasFinished: Int16 = 0x2000

/// One end of a stream socket, at the level of bytes: a client of the proxy, or a provider's side of a connection.
///
/// Every wait ends after `waitMilliseconds` with a failure.
// SAFETY: a test hands it from one thread to another, and only one of them uses it at a time.
final class RawConnection: @unchecked Sendable {
    enum Failure: Error, Equatable, CustomStringConvertible {
        case system(String, Int32)
        /// Nothing happened for as long as a test waits.
        case late
        /// The peer sent RST.
        case reset
        /// The peer ended the connection in the middle of a message. What had come of its content.
        case cut([UInt8])
        /// What came is no HTTP message.
        case malformed(String)

        var description: String {
            switch self {
            case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
            case .late: "nothing happened in time"
            case .reset: "the connection was reset"
            case .cut(let part): "the connection ended in the middle of a message, behind \(part.count) bytes"
            case .malformed(let what): "no HTTP: \(what)"
            }
        }
    }

    static let waitMilliseconds: Int32 = 10_000

    private(set) var descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0

    init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close() }

    /// `receiveBytes` bounds what the system takes in before this end reads.
    static func toPort(
        _ port: Int, host: String = "127.0.0.1", receiveBytes: Int32? = nil
    ) throws -> RawConnection {
        let address = try RawAddress(host: host, port: port)
        let connection = try RawConnection(family: address.family)
        if let receiveBytes { connection.set(SOL_SOCKET, SO_RCVBUF, receiveBytes) }
        connection.sendAtOnce()
        try connection.connect(to: address)
        return connection
    }

    static func toPath(_ path: String) throws -> RawConnection {
        let connection = try RawConnection(family: AF_UNIX)
        try connection.connect(to: RawAddress(path: path))
        return connection
    }

    private convenience init(family: Int32) throws {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        self.init(descriptor: socket(family, type, 0))
        guard descriptor >= 0 else { throw Failure.system("socket", errno) }
    }

    private func connect(to address: RawAddress) throws {
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 else { throw Failure.system("connect", errno) }
    }

    /// Each `send` makes a packet.
    func sendAtOnce() { set(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    // MARK: Sending

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// All of `bytes`; waits for the peer to take them.
    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try wait(for: POLLOUT)
            } else {
                throw errno == ECONNRESET || errno == EPIPE ? Failure.reset : Failure.system("send", errno)
            }
        }
    }

    /// As much of `bytes` as the system takes now.
    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return max(0, bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, flags) })
    }

    /// Each byte in a packet of its own.
    func sendByteByByte(_ text: String) throws {
        for byte in text.utf8 { try send([byte]) }
    }

    /// No more will be sent: FIN. This end still receives.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends the connection with RST.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    // MARK: Receiving

    /// The next byte, or nil at the connection's end.
    func next() throws -> UInt8? {
        if start == buffer.count, try !fill() { return nil }
        defer { start += 1 }
        return buffer[start]
    }

    /// What there is, at most `count` bytes; waits for one. Empty at the connection's end.
    func some(upTo count: Int) throws -> ArraySlice<UInt8> {
        if start == buffer.count, try !fill(upTo: count) { return [] }
        let piece = buffer[start..<min(buffer.count, start + count)]
        start += piece.count
        return piece
    }

    func exactly(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let piece = try orCut(bytes) { try some(upTo: count - bytes.count) }
            bytes += piece
        }
        return bytes
    }

    /// Everything up to `text`, which is its end.
    func through(_ text: String) throws -> [UInt8] {
        let end = Array(text.utf8)
        var bytes: [UInt8] = []
        while !bytes.suffix(end.count).elementsEqual(end) {
            guard let byte = try next() else { throw Failure.cut(bytes) }
            bytes.append(byte)
        }
        return bytes
    }

    /// Everything until FIN.
    func rest() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while case let piece = try some(upTo: 64 << 10), !piece.isEmpty { bytes += piece }
        return bytes
    }

    /// Waits for the connection's end, whichever; false when something else comes.
    func hasEnded() throws -> Bool {
        do { return try next() == nil } catch Failure.reset { return true }
    }

    /// Whether there is nothing to be read at this moment.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return start == buffer.count
            && recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }

    /// Whether the peer has sent FIN or RST by now, behind whatever can still be read.
    var hasHungUp: Bool {
        var entry = pollfd(fd: descriptor, events: peerHasFinished, revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    private func orCut(_ bytes: [UInt8], _ read: () throws -> ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        let piece = try read()
        if piece.isEmpty { throw Failure.cut(bytes) }
        return piece
    }

    private func fill(upTo count: Int = 64 << 10) throws -> Bool {
        try wait(for: POLLIN)
        let room = min(count, 64 << 10)
        var code: Int32 = 0
        var received = 0
        buffer = [UInt8](unsafeUninitializedCapacity: room) { bytes, filled in
            received = recv(descriptor, bytes.baseAddress, room, 0)
            code = errno
            filled = max(0, received)
        }
        start = 0
        guard received >= 0 else {
            throw code == ECONNRESET ? Failure.reset : Failure.system("recv", code)
        }
        return received > 0
    }

    private func wait(for event: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        var result: Int32
        repeat { result = poll(&entry, 1, Self.waitMilliseconds) } while result < 0 && errno == EINTR
        if result == 0 { throw Failure.late }
    }
}
