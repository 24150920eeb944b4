import COpenSSL
import TollkeyCore

/// One TLS connection to an upstream, as a translator between plain and enciphered bytes. Knows no socket.
final class TLSStream {
    private let ssl: OpaquePointer
    private let transport: TLSTransport
    private let sessions: TLSSessions
    private let begun: MonotonicTime
    /// When the peer showed its certificate to the session that is offered for resumption.
    private var offered: MonotonicTime?

    enum Progress {
        case done
        /// Needs more from the peer.
        case waits
        case failed(String)
    }

    enum ReadResult {
        case bytes(Int)
        case waits
        /// close_notify: the end, and no cut.
        case end
        case failed(String)
    }

    /// `name` is a DNS name or a literal address; the peer's certificate must be valid for it (RFC 9110 §4.3.4).
    init?(
        _ context: TLSContext, name: String, transport: TLSTransport, sessions: TLSSessions,
        at now: MonotonicTime
    ) {
        guard let ssl = SSL_new(context.pointer) else { return nil }
        self.ssl = ssl
        begun = now
        self.transport = transport
        self.sessions = sessions
        transport.attach(to: ssl)
        SSL_set_connect_state(ssl)
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        let parameters = SSL_get0_param(ssl)
        let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS) | UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
        X509_VERIFY_PARAM_set_hostflags(parameters, flags)
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, name) != 1 {
            guard X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 else { return nil }
            var name = Array(name.utf8CString)
            SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name)
        }
        if let session = sessions.take(at: now) {
            SSL_set_session(ssl, session.pointer)
            SSL_SESSION_free(session.pointer)
            offered = session.proven
        }
        ERR_clear_error()
    }

    deinit { SSL_free(ssl) }

    /// Goes on with the handshake; then send the transport's output, whatever the result.
    func handshake() -> Progress {
        Self.emptyErrors()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            keepResumedSession()
            return .done
        }
        return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? .waits : .failed(handshakeError())
    }

    /// A TLS 1.2 server need not send a ticket again when one was used: the session stays good (RFC 5077 §3.3).
    private func keepResumedSession() {
        guard SSL_session_reused(ssl) == 1, SSL_version(ssl) == TLS1_2_VERSION,
            let session = SSL_get1_session(ssl)
        else { return }
        keep(session)
    }

    /// Takes ownership. A resumed session is no younger than the one that it comes from.
    private func keep(_ session: OpaquePointer) {
        let isResumed = SSL_session_reused(ssl) == 1
        sessions.keep(session, proven: isResumed ? offered ?? .past : begun)
    }

    /// Why the handshake failed, in OpenSSL's words; the certificate's fault first, since it is the usual one.
    private func handshakeError() -> String {
        let reason = Self.errorText()
        let verdict = SSL_get_verify_result(ssl)
        if verdict != Int(X509_V_OK), let text = X509_verify_cert_error_string(verdict) {
            return "the certificate is refused: \(String(cString: text))"
        }
        return reason ?? "the connection ended during the handshake"
    }

    /// Enciphers `bytes`, at most `EventLoop.scratchBytes` of them, into the transport's output; false when the
    /// connection is broken.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest)
            let written = SSL_write(ssl, piece.baseAddress, Int32(clamping: piece.count))
            guard written > 0 else {
                ERR_clear_error()
                return false
            }
            rest = rest.dropFirst(Int(written))
        }
        return true
    }

    /// Deciphers into `buffer` from what the transport was lent, one record at most.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
        Self.emptyErrors()
        let count = SSL_read(ssl, buffer.baseAddress, Int32(clamping: buffer.count))
        if count > 0 { return .bytes(Int(count)) }
        switch SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ: return .waits
        case SSL_ERROR_ZERO_RETURN: return .end
        default: return .failed(Self.errorText() ?? "the connection ended without TLS's close_notify")
        }
    }

    /// Deciphered bytes that a `read` has left.
    var hasPending: Bool { SSL_pending(ssl) > 0 }

    /// Says close_notify, into the transport's output.
    func close() {
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// OpenSSL's queue of errors is the thread's: what a call leaves there, also one that went well, `SSL_get_error`
    /// takes for the next one's. To look first is much cheaper than to empty what is nearly always empty.
    private static func emptyErrors() { if ERR_peek_error() != 0 { ERR_clear_error() } }

    /// OpenSSL's reason for the first error of this thread, whose queue is empty afterwards.
    static func errorText() -> String? {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let reason = ERR_reason_error_string(code) else { return nil }
        return String(cString: reason)
    }

    /// OpenSSL hands over a session that can be resumed. 1 takes it over.
    static func keepSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
        guard let ssl, let session, let pointer = SSL_get_ex_data(ssl, 0) else { return 0 }
        Unmanaged<TLSStream>.fromOpaque(pointer).takeUnretainedValue().keep(session)
        return 1
    }
}

/// Sessions of one upstream that can be resumed (RFC 8446 §2.2), newest last.
///
/// Each is used once, as RFC 8446 §C.4 asks; a TLS 1.3 server that wants more resumptions sends more tickets.
/// A peer that is resumed does not show its certificate, and gives new sessions for ever: RFC 8446 §4.6.1 asks for a
/// bound. So none is used for longer than `life` after a certificate was verified.
final class TLSSessions {
    private var sessions: [(pointer: OpaquePointer, proven: MonotonicTime)] = []
    static let kept = 8
    static let life = TimeSpan(.seconds(600))

    /// The caller owns it. `proven` is when the peer showed its certificate.
    func take(at now: MonotonicTime) -> (pointer: OpaquePointer, proven: MonotonicTime)? {
        while let last = sessions.popLast() {
            if now < last.proven + Self.life { return last }
            SSL_SESSION_free(last.pointer)
        }
        return nil
    }

    /// Takes ownership.
    func keep(_ session: OpaquePointer, proven: MonotonicTime) {
        if sessions.count == Self.kept { SSL_SESSION_free(sessions.removeFirst().pointer) }
        sessions.append((session, proven))
    }

    deinit {
        for session in sessions { SSL_SESSION_free(session.pointer) }
    }
}
