import Glibc
import TollkeyCore

/// One connection to a provider: connects, proves, and carries one exchange after the other.
final class UpstreamConnection: Pollable {
    private enum State {
        /// TCP is being opened, to the address with this index.
        case connecting(Int)
        case handshaking
        /// Open and nobody's; whatever arrives ends it.
        case idle
        /// Carries this exchange.
        case busy(ExchangeDriver)
        case closed
    }

    private let upstream: Upstream
    private var state = State.closed
    private var tls: TLSStream?
    private var addresses: [SocketAddress] = []
    private var connectDeadline = MonotonicTime.never
    /// What the system has not taken yet.
    private var unsent: Buffer?
    private var isReadable = false
    private var peerHasFinished = false
    private var isWriteBroken = false

    init(_ upstream: Upstream) {
        self.upstream = upstream
        super.init(loop: upstream.loop)
    }

    // MARK: Opening

    func connect(_ addresses: [SocketAddress]) {
        self.addresses = addresses
        connectDeadline = loop.now + upstream.service.connectTimeout
        connect(to: 0, failure: nil)
    }

    /// Tries `addresses` from `index` on; `failure` is what the one before said.
    private func connect(to index: Int, failure: String?) {
        closeDescriptor()
        // What the address before has said is not this one's.
        isReadable = false
        peerHasFinished = false
        guard index < addresses.count, loop.now < connectDeadline else {
            state = .closed
            let isLate = loop.now >= connectDeadline
            upstream.connectFailed(
                Failure(
                    isLate ? .upstreamTimeout : .upstreamUnreachable,
                    isLate
                        ? "No address of the provider accepted a connection in time."
                        : "No address of the provider accepts a connection: \(failure ?? "none is known")."))
            return
        }
        let address = addresses[index]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else {
            let code = errno
            guard SystemError.isShortage(code) else {
                return connect(to: addresses.count, failure: SystemError.text(code))
            }
            state = .closed
            return upstream.connectImpossible(SystemError.text(code))
        }
        Socket.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        state = .connecting(index)
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        guard result == 0 || errno == EINPROGRESS else {
            let text = SystemError.text(errno)
            Glibc.close(descriptor)
            return connect(to: index + 1, failure: text)
        }
        guard watch(descriptor) else {
            Glibc.close(descriptor)
            return connect(to: addresses.count, failure: "the system refuses to watch it")
        }
        // Each address gets its share of the time that is left, so that a dead one does not use up all of it.
        let left = connectDeadline.nanoseconds - loop.now.nanoseconds
        setDeadline(MonotonicTime(nanoseconds: loop.now.nanoseconds + left / Int64(addresses.count - index)))
    }

    private func finishConnecting(_ index: Int, _ events: Readiness) {
        guard !events.isDisjoint(with: [.writable, .broken]) else { return }
        let error = Socket.error(descriptor)
        guard error == 0 else { return connect(to: index + 1, failure: SystemError.text(error)) }
        if index > 0 { upstream.prefer(index) }
        addresses = []
        let service = upstream.service
        guard let context = service.tls else { return open() }
        tls = TLSStream(
            context, name: service.serverName, transport: loop.transport, sessions: upstream.sessions,
            at: loop.now)
        state = .handshaking
        setDeadline(loop.now + service.tlsTimeout)
        shakeHands(nil)
    }

    private func shakeHands(_ received: UnsafeRawBufferPointer?, hasEnded: Bool = false) {
        guard let tls else { return failHandshake("OpenSSL has no memory for a connection") }
        loop.transport.lend(received ?? UnsafeRawBufferPointer(start: nil, count: 0), hasEnded: hasEnded)
        let progress = tls.handshake()
        // Also when it failed: the alert tells the peer why.
        let sent = send(loop.transport.takeOutput())
        switch progress {
        case .failed where hasEnded: failHandshake("the connection ended during the handshake")
        case .failed(let reason): failHandshake(reason)
        case .waits where !sent || hasEnded: failHandshake("the connection ended during the handshake")
        case .waits: break
        case .done where !sent: failHandshake("the connection ended during the handshake")
        case .done:
            // Bytes behind the handshake are session tickets; anything else nobody has asked for.
            if loop.transport.inputLeft > 0, !readNothing(tls) {
                return failHandshake("it spoke before it was asked")
            }
            open()
        }
    }

    private func failHandshake(_ reason: String, isLate: Bool = false) {
        state = .closed
        closeDescriptor()
        upstream.connectFailed(
            Failure(
                isLate ? .upstreamTimeout : .upstreamTLS,
                "No TLS connection to the provider as \(upstream.service.serverName): \(reason)."))
    }

    private func open() {
        clearDeadline()
        state = .idle
        upstream.connected(self)
    }

    // MARK: For the pool

    /// Nothing waits to be read, not even the connection's end.
    var isQuiet: Bool { Socket.isQuiet(descriptor) }

    func rest(until expiry: MonotonicTime) {
        state = .idle
        isIdle = true
        setDeadline(expiry)
    }

    func begin(_ exchange: ExchangeDriver) {
        clearDeadline()
        isIdle = false
        state = .busy(exchange)
        exchange.begin(on: self)
    }

    func close() {
        let wasIdle = if case .idle = state { true } else { false }
        if case .closed = state { return }
        state = .closed
        if let tls, !isWriteBroken, unsent == nil {
            loop.transport.lend(UnsafeRawBufferPointer(start: nil, count: 0))
            tls.close()
            _ = Socket.write(descriptor, loop.transport.takeOutput())
        }
        closeDescriptor()
        if let unsent { loop.giveBack(unsent) }
        unsent = nil
        upstream.closed(self, wasIdle: wasIdle)
    }

    /// The exchange is over and left the connection clean.
    func release() {
        guard case .busy = state else { return }
        guard !peerHasFinished, !isWriteBroken, unsent == nil else { return close() }
        state = .idle
        upstream.release(self)
    }

    // MARK: For the exchange

    /// What was written has not all been taken: wait for `connectionDrained`.
    var isBlocked: Bool { unsent != nil }

    /// Sends `bytes`. When the connection turns out to be broken, that is told as its end, after what it still holds
    /// has been read: a provider that refuses a request half-way answers first.
    func write(_ bytes: UnsafeRawBufferPointer) {
        guard !isWriteBroken else { return }
        guard let tls else {
            if !send(bytes) { breakWriting() }
            return
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(EventLoop.scratchBytes)
            loop.transport.lend(UnsafeRawBufferPointer(start: nil, count: 0))
            guard tls.write(UnsafeRawBufferPointer(rebasing: piece)), send(loop.transport.takeOutput()) else {
                return breakWriting()
            }
            rest = rest.dropFirst(piece.count)
        }
    }

    private func breakWriting() {
        isWriteBroken = true
        isReadable = true
        loop.continueLater(self)
    }

    /// False when the connection is broken.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count > 0 else { return true }
        if let unsent {
            unsent.append(bytes)
            return true
        }
        guard let taken = Socket.write(descriptor, bytes) else { return false }
        if taken < bytes.count {
            let buffer = loop.takeBuffer()
            buffer.append(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
            unsent = buffer
        }
        return true
    }

    private func flush() {
        guard let buffer = unsent else { return }
        guard let taken = Socket.write(descriptor, buffer.readable) else { return breakWriting() }
        buffer.drop(taken)
        guard buffer.isEmpty else { return }
        loop.giveBack(buffer)
        unsent = nil
        if case .busy(let exchange) = state { exchange.connectionDrained() }
    }

    /// The client takes bytes again.
    func resumeReading() { if isReadable { loop.continueLater(self) } }

    // MARK: Events

    override func ready(_ events: Readiness) {
        if !events.isDisjoint(with: [.readable, .peerFinished, .broken]) { isReadable = true }
        if !events.isDisjoint(with: [.peerFinished, .broken]) { peerHasFinished = true }
        if case .connecting(let index) = state {
            finishConnecting(index, events)
        } else if events.contains(.writable) {
            flush()
        }
        // One after the other: what came with the last step's end has had its event already.
        if case .handshaking = state { readHandshake() }
        readAnswer()
    }

    private func readHandshake() {
        while isReadable, case .handshaking = state {
            switch Socket.read(descriptor, loop.scratch) {
            case .bytes(let count):
                noteRead(count)
                shakeHands(UnsafeRawBufferPointer(rebasing: loop.scratch[..<count]))
            case .wouldBlock: isReadable = false
            case .end: shakeHands(nil, hasEnded: true)
            case .failed(let code): failHandshake(SystemError.text(code))
            }
        }
    }

    /// A short read has emptied the socket, unless its end stands behind the bytes.
    private func noteRead(_ count: Int) {
        if count < loop.scratch.count, !peerHasFinished { isReadable = false }
    }

    /// How many reads one connection gets in a turn before others have theirs.
    private static let readsPerTurn = 16

    private func readAnswer() {
        var reads = 0
        while isReadable {
            switch state {
            case .busy(let exchange):
                guard exchange.takesAnswer else { return }
            case .idle: break
            case .connecting, .handshaking, .closed: return
            }
            guard reads < Self.readsPerTurn else { return loop.continueLater(self) }
            reads += 1
            switch Socket.read(descriptor, loop.scratch) {
            case .bytes(let count):
                noteRead(count)
                let bytes = UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])
                if let tls { decipher(tls, bytes) } else { deliver(bytes) }
            case .wouldBlock: isReadable = false
            case .end:
                // With TLS an end that was not announced may have been made by somebody else (RFC 8446 §6.1).
                ended(isClean: tls == nil, "The connection ended before the answer was complete.")
            case .failed(let code):
                ended(isClean: false, "The connection broke: \(SystemError.text(code)).")
            }
        }
    }

    private func decipher(_ tls: TLSStream, _ bytes: UnsafeRawBufferPointer) {
        loop.transport.lend(bytes)
        var filled = 0
        var result = TLSStream.ReadResult.waits
        // `plain` holds all that `bytes` can hold, so that what is delivered is all there is.
        reading: repeat {
            result = tls.read(into: UnsafeMutableRawBufferPointer(rebasing: loop.plain[filled...]))
            switch result {
            case .bytes(let count): filled += count
            case .waits: break reading
            case .end, .failed:
                peerHasFinished = true
                break reading
            }
        } while loop.transport.inputLeft > 0 || tls.hasPending
        // Reading writes too: alerts, and answers to the peer's wish to renegotiate.
        if !send(loop.transport.takeOutput()) { isWriteBroken = true }
        if filled > 0 { deliver(UnsafeRawBufferPointer(rebasing: loop.plain[..<filled])) }
        switch result {
        case .bytes, .waits: break
        case .end: ended(isClean: true, "The provider closed the connection before the answer was complete.")
        case .failed(let reason): ended(isClean: false, "The TLS connection broke: \(reason).")
        }
    }

    private func deliver(_ bytes: UnsafeRawBufferPointer) {
        // Nobody has asked for anything: RFC 9112 §9.2 leaves only closing.
        guard case .busy(let exchange) = state else { return close() }
        exchange.receiveAnswer(bytes.bindMemory(to: UInt8.self).span)
    }

    /// Takes in what holds no content (session tickets); false when there was content after all.
    private func readNothing(_ tls: TLSStream) -> Bool {
        let result = tls.read(into: loop.plain)
        if !send(loop.transport.takeOutput()) { isWriteBroken = true }
        if case .waits = result { return true }
        return false
    }

    private func ended(isClean: Bool, _ how: String) {
        peerHasFinished = true
        guard case .busy(let exchange) = state else { return close() }
        isReadable = false
        exchange.connectionEnded(isClean: isClean, how)
    }

    override func deadlinePassed() {
        switch state {
        case .connecting(let index):
            connect(to: index + 1, failure: "no answer in time")
        case .handshaking: failHandshake("no answer in time", isLate: true)
        case .idle: close()
        case .busy(let exchange): exchange.connectionTimedOut()
        case .closed: break
        }
    }
}
