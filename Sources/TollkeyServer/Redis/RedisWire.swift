import Glibc
import TollkeyCore

/// Bytes to and from the server, over TCP or TLS. Every wait ends at a deadline, or when the interrupt is struck.
final class RedisWire {
    private let descriptor: Int32
    private let interrupt: Interrupt
    /// For messages: host and port.
    private let peer: String
    private var tls: (stream: TLSStream, transport: TLSTransport)?
    /// For the system, enciphered where that is due.
    private var unsent: [UInt8] = []
    private var isWriteBroken = false
    /// What has come, deciphered, and was not taken yet.
    private var arrived: [UInt8] = []
    /// Whether the system has taken any byte of what is being exchanged.
    private var hasSent = false

    private let received = UnsafeMutableRawBufferPointer.allocate(
        byteCount: RedisWire.pieceBytes, alignment: 16)
    private let deciphered = UnsafeMutableRawBufferPointer.allocate(
        byteCount: RedisWire.pieceBytes, alignment: 16)

    /// Read at once: a TLS record.
    private static let pieceBytes = 16 << 10

    /// Takes over `descriptor`, a connected non-blocking socket.
    init(_ descriptor: Int32, peer: String, _ interrupt: Interrupt) {
        self.descriptor = descriptor
        self.peer = peer
        self.interrupt = interrupt
    }

    deinit {
        Glibc.close(descriptor)
        received.deallocate()
        deciphered.deallocate()
    }

    /// Nothing has come that nobody has asked for, not even the connection's end.
    var isQuiet: Bool { arrived.isEmpty && unsent.isEmpty && Socket.isQuiet(descriptor) }

    // MARK: TLS

    /// From here on all is enciphered, to a server whose certificate is valid for `name`.
    func secure(_ context: TLSContext, name: String, until deadline: MonotonicTime) throws(RedisFailure) {
        let transport = TLSTransport()
        // No session is offered again, so that none needs an age.
        guard
            let stream = TLSStream(
                context, name: name, transport: transport, sessions: sessions, at: .past)
        else { throw .noMemory }
        tls = (stream, transport)
        var input = UnsafeRawBufferPointer(start: nil, count: 0)
        var hasEnded = false
        while true {
            transport.lend(input, hasEnded: hasEnded)
            let progress = stream.handshake()
            unsent += transport.takeOutput()
            // Also when it failed: the alert tells the server why.
            flush()
            switch progress {
            case .failed(let reason): throw failHandshake(reason)
            // Behind the handshake there can be session tickets already.
            case .done: return try decipher()
            case .waits where hasEnded: throw failHandshake("the connection ended during the handshake")
            case .waits: break
            }
            try wait(until: deadline) {
                RedisFailure(
                    .timedOut, "Redis at \(peer) made no TLS connection in time; does it speak TLS there?")
            }
            switch Socket.read(descriptor, received) {
            case .bytes(let count): input = UnsafeRawBufferPointer(rebasing: received[..<count])
            case .wouldBlock: input = UnsafeRawBufferPointer(start: nil, count: 0)
            case .end, .failed:
                input = UnsafeRawBufferPointer(start: nil, count: 0)
                hasEnded = true
            }
        }
    }

    /// One connection's: a server that was restarted knows none of those before.
    private let sessions = TLSSessions()

    private func failHandshake(_ reason: String) -> RedisFailure {
        RedisFailure(.tls, "no TLS connection to Redis at \(peer): \(reason)")
    }

    // MARK: Exchanging

    /// Sends `request` and hands what comes to `take`, until that says that it was all.
    func exchange(
        _ request: [UInt8], until deadline: MonotonicTime, _ take: ([UInt8]) throws(RedisFailure) -> Bool
    ) throws(RedisFailure) {
        hasSent = false
        var rest = request[...]
        while true {
            try send(&rest)
            if !arrived.isEmpty {
                let piece = arrived
                arrived = []
                if try take(piece) {
                    guard rest.isEmpty, unsent.isEmpty, !isWriteBroken else {
                        throw broken("ended the connection")
                    }
                    return
                }
            }
            try wait(until: deadline) {
                RedisFailure(.timedOut, mayHaveRun: hasSent, "Redis at \(peer) did not answer in time")
            }
            try receive()
        }
    }

    /// Sends as much of `rest` as the system takes.
    private func send(_ rest: inout ArraySlice<UInt8>) throws(RedisFailure) {
        while !rest.isEmpty, unsent.isEmpty, !isWriteBroken {
            let piece = rest.prefix(EventLoop.scratchBytes)
            rest = rest.dropFirst(piece.count)
            if let tls {
                tls.transport.lend(UnsafeRawBufferPointer(start: nil, count: 0))
                guard piece.withUnsafeBytes(tls.stream.write) else {
                    throw broken("broke the TLS connection")
                }
                unsent += tls.transport.takeOutput()
            } else {
                unsent = Array(piece)
            }
            flush()
        }
        flush()
    }

    /// A connection that takes no more is found broken when it is read to its end: the server may have said why.
    private func flush() {
        var sent = 0
        while sent < unsent.count {
            let count = unsent.withUnsafeBytes {
                Socket.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
            guard let count else {
                isWriteBroken = true
                unsent = []
                return
            }
            if count == 0 { break }
            hasSent = true
            sent += count
        }
        unsent.removeFirst(sent)
    }

    private func wait(until deadline: MonotonicTime, late: () -> RedisFailure) throws(RedisFailure) {
        let events = unsent.isEmpty ? POLLIN : POLLIN | POLLOUT
        switch interrupt.wait(for: events, on: descriptor, until: deadline) {
        case .ready: return
        case .late: throw late()
        case .struck: throw RedisFailure(.closed, mayHaveRun: hasSent, RedisFailure.closed.description)
        }
    }

    private func receive() throws(RedisFailure) {
        switch Socket.read(descriptor, received) {
        case .wouldBlock: return
        case .end: throw broken("ended the connection")
        case .failed(let code): throw broken("broke the connection off: \(SystemError.text(code))")
        case .bytes(let count):
            let piece = UnsafeRawBufferPointer(rebasing: received[..<count])
            guard let tls else { return arrived.append(contentsOf: piece) }
            tls.transport.lend(piece)
            try decipher()
        }
    }

    /// Takes in what the transport was lent.
    private func decipher() throws(RedisFailure) {
        guard let tls else { return }
        while true {
            switch tls.stream.read(into: deciphered) {
            case .bytes(let count): arrived.append(contentsOf: deciphered[..<count])
            case .waits:
                unsent += tls.transport.takeOutput()
                return
            case .end:
                if arrived.isEmpty { throw broken("ended the connection") }
                return
            case .failed(let reason):
                throw RedisFailure(
                    .tls, mayHaveRun: hasSent, "the TLS connection to Redis at \(peer) broke: \(reason)")
            }
        }
    }

    private func broken(_ how: String) -> RedisFailure {
        RedisFailure(.unreachable, mayHaveRun: hasSent, "Redis at \(peer) \(how)")
    }
}
