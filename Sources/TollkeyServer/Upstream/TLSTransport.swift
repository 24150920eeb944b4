import COpenSSL
import Glibc

/// OpenSSL's way to the wire: a BIO that reads from and writes to plain memory of one event loop.
///
/// One serves all TLS connections of a loop, because each call into OpenSSL is done with it before it returns: what
/// was received is lent before the call, what is to be sent is taken after it. So an idle connection holds no
/// buffer, one `recv` can bring several records and one `send` take them away.
final class TLSTransport {
    private struct Wire {
        var input: UnsafeRawPointer?
        var inputCount = 0
        var output: UnsafeMutableRawPointer
        var outputCount = 0
        var hasEnded = false
    }

    private let wire: UnsafeMutablePointer<Wire>
    private let bio: OpaquePointer?

    /// What one `SSL_write` of `EventLoop.scratchBytes` can make, with room for a handshake's flight.
    static let outputMax = EventLoop.scratchBytes + (16 << 10)

    init() {
        wire = .allocate(capacity: 1)
        wire.initialize(to: Wire(output: .allocate(byteCount: Self.outputMax, alignment: 64)))
        bio = BIO_new(Self.method)
        BIO_set_data(bio, wire)
        BIO_set_init(bio, 1)
    }

    deinit {
        BIO_free(bio)
        wire.pointee.output.deallocate()
        wire.deallocate()
    }

    /// Gives `ssl` this transport to read from and write to.
    func attach(to ssl: OpaquePointer) {
        // SSL_set_bio takes one reference when both directions are the same.
        BIO_up_ref(bio)
        SSL_set_bio(ssl, bio, bio)
    }

    /// What follows reads `input`, and then the end of the connection if `hasEnded`. What another connection has
    /// written and nobody has taken is dropped: it must never go out on this one.
    func lend(_ input: UnsafeRawBufferPointer, hasEnded: Bool = false) {
        wire.pointee.input = input.baseAddress
        wire.pointee.inputCount = input.count
        wire.pointee.hasEnded = hasEnded
        wire.pointee.outputCount = 0
    }

    var inputLeft: Int { wire.pointee.inputCount }

    /// What was written since the last call.
    func takeOutput() -> UnsafeRawBufferPointer {
        let count = wire.pointee.outputCount
        wire.pointee.outputCount = 0
        return UnsafeRawBufferPointer(start: wire.pointee.output, count: count)
    }

    private static func wire(_ bio: OpaquePointer?) -> UnsafeMutablePointer<Wire>? {
        BIO_get_data(bio)?.assumingMemoryBound(to: Wire.self)
    }

    // SAFETY: made once, on first use, and only read afterwards.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "event loop")
        BIO_meth_set_read(method) { bio, out, count in
            guard let wire = TLSTransport.wire(bio), let out, count > 0 else { return 0 }
            BIO_clear_flags(bio, TOLLKEY_BIO_RETRY_FLAGS)
            let taken = min(Int(count), wire.pointee.inputCount)
            guard taken > 0, let input = wire.pointee.input else {
                if wire.pointee.hasEnded { return 0 }
                BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
                return -1
            }
            memcpy(out, input, taken)
            wire.pointee.input = input + taken
            wire.pointee.inputCount -= taken
            return Int32(taken)
        }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let wire = TLSTransport.wire(bio), let bytes, count > 0 else { return 0 }
            BIO_clear_flags(bio, TOLLKEY_BIO_RETRY_FLAGS)
            guard wire.pointee.outputCount + Int(count) <= TLSTransport.outputMax else {
                BIO_set_flags(bio, BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
                return -1
            }
            memcpy(wire.pointee.output + wire.pointee.outputCount, bytes, Int(count))
            wire.pointee.outputCount += Int(count)
            return count
        }
        BIO_meth_set_ctrl(method) { bio, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH, BIO_CTRL_PUSH, BIO_CTRL_POP: return 1
            case BIO_CTRL_EOF: return TLSTransport.wire(bio)?.pointee.hasEnded == true ? 1 : 0
            default: return 0
            }
        }
        return method
    }()
}
