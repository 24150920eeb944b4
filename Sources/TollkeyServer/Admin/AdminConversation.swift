import CLinux
import Glibc
import TollkeyCore

/// One operator's connection: one request, one answer. Blocks its thread, within `AdminListener.timeout`.
struct AdminConversation {
    private let descriptor: Int32
    private let interrupt: Interrupt
    private let end = MonotonicTime.system() + AdminListener.askTimeout

    init(_ descriptor: Int32, _ interrupt: Interrupt) {
        self.descriptor = descriptor
        self.interrupt = interrupt
    }

    /// Closes the connection in the end.
    func run(_ answer: (AdminRequest) -> AdminAnswer) {
        defer { close(descriptor) }
        switch read() {
        case .gone: return
        case .refused(let refusal): write(refusal.bytes(withoutContent: false))
        case .request(let request): write(answer(request).bytes(withoutContent: request.method == "HEAD"))
        }
        // What the client still sends must not reset the answer away (RFC 9112 §9.6).
        shutdown(descriptor, Int32(SHUT_WR))
        let end = MonotonicTime.system() + Self.lingerTime
        var rest = [UInt8](repeating: 0, count: 4 << 10)
        for _ in 0..<Self.readsMax where MonotonicTime.system() < end {
            guard case .bytes? = receive(&rest, until: end) else { return }
        }
    }

    private static let lingerTime = TimeSpan(.seconds(1))
    private static let readsMax = 16

    private enum Read {
        case gone
        case refused(AdminAnswer)
        case request(AdminRequest)
    }

    private func read() -> Read {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: AdminRequest.headBytesMax)
        var head = RequestHead()
        var limits = ClientLimits()
        limits.head = AdminRequest.headBytesMax
        while true {
            guard case .bytes(let count)? = receive(&room, until: end) else { return .gone }
            bytes += room.prefix(count)
            do throws(HeadError) {
                if try head.read(bytes.span, limits: limits) { break }
            } catch {
                let failure = Failure(error)
                return .refused(.problem(failure.kind, failure.detail))
            }
        }
        guard case .length(let length) = head.framing, length <= AdminRequest.contentBytesMax else {
            return .refused(
                .problem(.bodyTooLarge, "Content here has a Content-Length of at most 8 KiB."))
        }
        while bytes.count < head.end + length {
            guard case .bytes(let count)? = receive(&room, until: end) else { return .gone }
            bytes += room.prefix(count)
        }
        let content = Secret(Array(bytes[head.end..<head.end + length]))
        return .request(AdminRequest(head, bytes, content: content))
    }

    /// nil when time is up, or the proxy ends.
    private func receive(_ room: inout [UInt8], until end: MonotonicTime) -> Socket.ReadResult? {
        while true {
            switch room.withUnsafeMutableBytes({ Socket.read(descriptor, $0) }) {
            case .bytes(let count): return .bytes(count)
            case .wouldBlock:
                guard interrupt.wait(for: POLLIN, on: descriptor, until: end) == .ready else { return nil }
            case .end, .failed: return nil
            }
        }
    }

    private func write(_ bytes: [UInt8]) {
        var written = 0
        let end = MonotonicTime.system() + AdminListener.timeout
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Socket.write(descriptor, UnsafeRawBufferPointer(rebasing: $0[written...]))
            }
            guard let count else { return }
            written += count
            guard count > 0 || interrupt.wait(for: POLLOUT, on: descriptor, until: end) == .ready else {
                return
            }
        }
    }
}
