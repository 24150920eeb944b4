import Glibc
import TollkeyCore

/// One client's connection: reads heads and content for its exchanges, one at a time, and writes what they answer.
final class ClientConnection: Pollable {
    private enum State {
        /// Between two requests; holds nothing.
        case idle
        /// Some of a head may have come.
        case head(ExchangeDriver)
        /// An exchange is under way.
        case exchange(ExchangeDriver)
        /// The last answer is being written; then the connection closes.
        case finishing(isRead: Bool)
        /// Everything is written and our end closed; what still comes is thrown away, so that the system does not
        /// answer it with a reset, which could take the answer from the client (RFC 9112 §9.6).
        case lingering
        case closed
    }

    let worker: Worker
    let peer: Admission.Peer?
    private var state = State.idle
    /// What the system has not taken yet.
    private var unsent: Buffer?
    private var isReadable = false
    private var peerHasFinished = false
    private var isBroken = false
    private var hasLeftover = false

    private var lingerEnd = MonotonicTime.never

    /// For a client that says nothing, and for one that goes on sending.
    private static let lingerTime = TimeSpan(.seconds(1))
    private static let lingerTimeMax = TimeSpan(.seconds(10))
    private static let readsPerTurn = 16
    /// An idle connection is kept for so long when the proxy shuts down: a client's next request may be on its way, and
    /// is answered with `Connection: close`. Closed at once, every keep-alive client would risk one.
    static let partingTime = TimeSpan(.seconds(1))

    init(_ worker: Worker, peer: Admission.Peer?) {
        self.worker = worker
        self.peer = peer
        super.init(loop: worker.loop)
    }

    /// Takes over an accepted socket; false when the system refuses.
    func start(_ descriptor: Int32) -> Bool {
        guard watch(descriptor) else { return false }
        setDeadline(loop.now + worker.table.headTimeout)
        return true
    }

    // MARK: Events

    override func ready(_ events: Readiness) {
        if !events.isDisjoint(with: [.readable, .peerFinished]) { isReadable = true }
        if events.contains(.peerFinished), !peerHasFinished {
            peerHasFinished = true
            // Who leaves the line has gone: a client that waits for an answer does not close its end meanwhile.
            if case .exchange(let exchange) = state, exchange.standsInLine { return close() }
        }
        if isBroken || events.contains(.broken) { return close() }
        if events.contains(.writable) { flush() }
        advance()
    }

    override func deadlinePassed() {
        switch state {
        case .idle, .lingering, .finishing: close()
        case .head(let exchange):
            guard !exchange.input.isEmpty else { return close() }
            state = .exchange(exchange)
            exchange.refuseHead(
                Failure(.requestTimeout, "The request's head did not arrive in time."), for: self)
        case .exchange(let exchange): exchange.clientTimedOut()
        case .closed: break
        }
    }

    private func advance() {
        var reads = 0
        while isReadable || hasLeftover {
            guard reads < Self.readsPerTurn else { return loop.continueLater(self) }
            reads += 1
            switch state {
            case .idle:
                guard unsent == nil else { return }
                readHead(loop.takeExchange())
            case .head(let exchange):
                guard unsent == nil else { return }
                readHead(exchange)
            case .exchange(let exchange):
                guard exchange.takesContent else { return }
                readContent(exchange)
            case .lingering: discard()
            case .finishing, .closed: return
            }
        }
    }

    // MARK: Reading

    private func readHead(_ exchange: ExchangeDriver) {
        if hasLeftover {
            hasLeftover = false
        } else {
            let room = exchange.input.writable(atLeast: 2 << 10)
            switch Socket.read(descriptor, room) {
            case .bytes(let count):
                if count < room.count, !peerHasFinished { isReadable = false }
                if case .idle = state { setDeadline(loop.now + worker.table.headTimeout) }
                exchange.input.didWrite(count)
            case .wouldBlock:
                isReadable = false
                guard case .idle = state else { return }
                loop.giveBack(exchange)
                return
            case .end, .failed:
                if case .idle = state { loop.giveBack(exchange) }
                return close()
            }
        }
        state = .exchange(exchange)
        switch exchange.readHead(for: self) {
        case .incomplete: state = .head(exchange)
        case .begun: break
        }
    }

    private func readContent(_ exchange: ExchangeDriver) {
        switch Socket.read(descriptor, loop.scratch) {
        case .bytes(let count):
            if count < loop.scratch.count, !peerHasFinished { isReadable = false }
            let bytes = UnsafeRawBufferPointer(rebasing: loop.scratch[..<count])
            exchange.receiveContent(bytes.bindMemory(to: UInt8.self).span)
        case .wouldBlock: isReadable = false
        case .end, .failed: close()
        }
    }

    private func discard() {
        switch Socket.read(descriptor, loop.scratch) {
        case .bytes: setDeadline(min(loop.now + Self.lingerTime, lingerEnd))
        case .wouldBlock: isReadable = false
        case .end, .failed: close()
        }
    }

    // MARK: For the exchange

    /// The same for all connections of a unix socket's user, or of an address.
    var caller: UInt64 {
        if let peer { return UInt64(peer.uid) }
        return SocketAddress(peerOf: descriptor)?.hostNumber ?? 0
    }

    /// The exchange waits for a connection until then.
    func waitForConnection(until deadline: MonotonicTime) { setDeadline(deadline) }

    /// The exchange's own waiting is over, or more content may be taken in.
    func exchangeGoesOn() {
        guard case .exchange(let exchange) = state else { return }
        let takesContent = exchange.takesContent
        if exchange.waitsForCredential {
            // Its own bound stays.
        } else if unsent != nil || takesContent {
            setDeadline(loop.now + worker.table.bodyTimeout)
        } else {
            clearDeadline()
        }
        if takesContent, isReadable { loop.continueLater(self) }
    }

    var isActive: Bool {
        switch state {
        case .exchange: true
        case .idle, .head, .finishing, .lingering, .closed: false
        }
    }

    /// It has closed its end: it may be gone, or may wait for the answer and have no more to say.
    var hasFinishedSending: Bool { peerHasFinished }

    /// What was written has not all been taken; more should wait for `clientDrained`.
    var isBlocked: Bool { unsent != nil }

    func write(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) {
        guard descriptor >= 0, !isBroken, first.count + second.count > 0 else { return }
        if let unsent {
            unsent.append(first)
            unsent.append(second)
            return
        }
        guard let taken = Socket.write(descriptor, first, second) else {
            // Told in a later turn: whoever writes is in the middle of something.
            isBroken = true
            return loop.continueLater(self)
        }
        guard taken < first.count + second.count else { return }
        let buffer = loop.takeBuffer()
        if taken < first.count { buffer.append(UnsafeRawBufferPointer(rebasing: first[taken...])) }
        buffer.append(UnsafeRawBufferPointer(rebasing: second[max(0, taken - first.count)...]))
        unsent = buffer
        setDeadline(loop.now + worker.table.bodyTimeout)
    }

    /// `isRead`: all of the request has been read, so that nothing of it can still arrive.
    func exchangeEnded(keepsConnection: Bool, isRead: Bool) {
        guard case .exchange(let exchange) = state else { return }
        guard keepsConnection else {
            exchange.input.clear()
            loop.giveBack(exchange)
            return finishWriting(isRead: isRead)
        }
        if exchange.input.isEmpty {
            state = .idle
            loop.giveBack(exchange)
            setDeadline(loop.now + (worker.isDraining ? Self.partingTime : worker.table.idleTimeout))
        } else {
            state = .head(exchange)
            hasLeftover = true
            setDeadline(loop.now + worker.table.headTimeout)
        }
        // Not at once: whoever ended the exchange is still at work on it.
        if isReadable || hasLeftover { loop.continueLater(self) }
    }

    // MARK: Writing and closing

    private func flush() {
        guard let buffer = unsent else { return }
        guard let taken = Socket.write(descriptor, buffer.readable) else {
            isBroken = true
            return loop.continueLater(self)
        }
        buffer.drop(taken)
        guard buffer.isEmpty else { return setDeadline(loop.now + worker.table.bodyTimeout) }
        loop.giveBack(buffer)
        unsent = nil
        switch state {
        case .exchange(let exchange):
            exchangeGoesOn()
            exchange.clientDrained()
        case .finishing(let isRead): finish(isRead)
        case .idle, .head, .lingering, .closed: break
        }
    }

    private func finishWriting(isRead: Bool) {
        state = .finishing(isRead: isRead)
        setDeadline(loop.now + worker.table.bodyTimeout)
        if unsent == nil { finish(isRead) }
    }

    private func finish(_ isRead: Bool) {
        guard !isRead, !peerHasFinished else { return close() }
        shutdown(descriptor, Int32(SHUT_WR))
        state = .lingering
        lingerEnd = loop.now + Self.lingerTimeMax
        setDeadline(loop.now + Self.lingerTime)
        if isReadable { loop.continueLater(self) }
    }

    /// The proxy is shutting down: the next request is the last.
    func drain() {
        guard case .idle = state else { return }
        setDeadline(min(deadline, loop.now + Self.partingTime))
    }

    /// Time to drain is over.
    func endDraining() {
        if case .exchange(let exchange) = state { exchange.endDraining() } else { close() }
    }

    /// `isCut`: the client must not take what it has for a whole answer.
    func close(isCut: Bool = false) {
        // Where the connection's end would be the answer's, only a reset tells (RFC 9112 §8).
        if isCut { Socket.resetWhenClosed(descriptor) }
        let last = state
        state = .closed
        switch last {
        case .head(let exchange), .exchange(let exchange):
            exchange.clientLost()
            loop.giveBack(exchange)
        case .idle, .finishing, .lingering: break
        case .closed: return
        }
        if let unsent { loop.giveBack(unsent) }
        unsent = nil
        closeDescriptor()
        worker.closed(self)
    }
}
