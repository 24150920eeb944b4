import CCurl
import TollkeyCore

/// One attempt at a call, on a connection of its own: an easy handle of libcurl's.
///
/// The handle is alone in a multi handle, for one reason: polling that can be woken makes a transfer end at once
/// when it is interrupted.
final class Transfer {
    let call: OutgoingCall
    /// Instead of the URL's host and port.
    let address: UpstreamAddress?
    let easy: UnsafeMutableRawPointer
    /// Nil without TLS.
    let tls: TLSContext?
    // libcurl refers to these until the handle is gone.
    let route = WipedLines()
    let lines = WipedLines()
    let content: WipedBytes

    var reader: AnswerReader
    /// The connection is ready, and libcurl begins to write the request; until then nothing of it has left.
    var hasBegun = false
    /// Somebody has taken the connection, and TLS begins.
    var isHandshaking = false
    /// The peer has said that it will send no more (RFC 8446 §6.1).
    var hasFarewell = false
    /// What OpenSSL said about the handshake, or the peer in an alert.
    var refusal: String?

    /// Nil when libcurl has no memory.
    init?(_ call: OutgoingCall, to address: UpstreamAddress?, tls: TLSContext?) {
        guard Self.isReady, let easy = curl_easy_init() else { return nil }
        self.call = call
        self.address = address
        self.easy = easy
        self.tls = tls
        content = WipedBytes(call.content?.reveal { $0 } ?? [])
        reader = AnswerReader(contentBytesMax: call.answerBytesMax)
    }

    deinit { curl_easy_cleanup(easy) }

    /// Once for the process; libcurl is safe for threads from then on.
    private static let isReady = curl_global_init(TOLLKEY_CURL_GLOBAL) == CURLE_OK

    /// Blocks until there is an answer, a fault, or `interrupter` strikes. Once only.
    func perform(
        _ timeouts: Timeouts, until interrupter: Interrupter
    ) -> Result<CallAnswer, CallFault> {
        guard prepare(timeouts), let multi = curl_multi_init() else {
            return .failure(CallFault(.broke, wasSent: false, "libcurl lacks memory, or is older than 7.87"))
        }
        defer { curl_multi_cleanup(multi) }
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
            return .failure(CallFault(.broke, wasSent: false, "libcurl has no memory for a call"))
        }
        defer { curl_multi_remove_handle(multi, easy) }
        interrupter.attach(multi)
        defer { interrupter.detach() }
        guard let code = withExtendedLifetime(self, { run(multi, until: interrupter) }) else {
            return .failure(fault(.cancelled, "the call was cancelled"))
        }
        guard code == CURLE_OK else { return .failure(fault(for: code)) }
        // A connection that ends in the middle of a head is no fault to libcurl.
        // Nor is TLS's, so that a content which only the connection's end delimits could be cut by anybody.
        let isWhole = tls == nil || hasFarewell || !reader.endsWithConnection(call.method)
        guard isWhole, let answer = reader.answer else {
            return .failure(fault(.broke, "\(peer) ended the connection before its answer was complete"))
        }
        return .success(answer)
    }

    /// Nil when interrupted.
    private func run(_ multi: UnsafeMutableRawPointer, until interrupter: Interrupter) -> CURLcode? {
        while !interrupter.hasStruck {
            var running: Int32 = 0
            guard curl_multi_perform(multi, &running) == CURLM_OK else { return CURLE_FAILED_INIT }
            if running == 0 {
                var left: Int32 = 0
                return curl_multi_info_read(multi, &left)?.pointee.data.result ?? CURLE_FAILED_INIT
            }
            // libcurl waits shorter where a timeout of its own is due.
            curl_multi_poll(multi, nil, 0, Self.pollMilliseconds, nil)
        }
        return nil
    }

    private static let pollMilliseconds: Int32 = 10_000
}

/// What an attempt may take.
struct Timeouts {
    let connect: TimeSpan
    let whole: TimeSpan
}
