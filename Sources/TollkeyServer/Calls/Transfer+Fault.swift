import CCurl
import TollkeyCore

extension Transfer {
    /// Host and port where the connection was to go, as people write them.
    var peer: String {
        guard let address else { return call.url.authority }
        let scheme = call.url.scheme
        return UpstreamURL(scheme: scheme, host: address.host, port: address.port, basePath: "").authority
    }

    func fault(_ kind: CallFault.Kind, _ text: String) -> CallFault {
        CallFault(kind, wasSent: hasBegun, text)
    }

    /// By libcurl's code and by what we saw ourselves; its error text is left alone, since nobody promises what is in
    /// it.
    func fault(for code: CURLcode) -> CallFault {
        if code == CURLE_OPERATION_TIMEDOUT { return fault(.timeout, lateness) }
        return hasBegun ? faultOfExchange(code) : faultOfConnecting(code)
    }

    private var lateness: String {
        if hasBegun { return "\(peer) did not answer in time" }
        let first = call.egressProxy.map { "the egress proxy \($0.host):\($0.port)" } ?? peer
        if isHandshaking { return "no TLS connection to \(peer) in time" }
        let isResolved = microseconds(CURLINFO_NAMELOOKUP_TIME_T) > 0
        return isResolved ? "\(first) did not take a connection in time" : "\(first) was not resolved in time"
    }

    private func faultOfConnecting(_ code: CURLcode) -> CallFault {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return fault(.resolve, "the name \(address?.host ?? call.url.host) has no address")
        case CURLE_COULDNT_RESOLVE_PROXY:
            return fault(.resolve, "the egress proxy's name \(call.egressProxy?.host ?? "") has no address")
        case CURLE_COULDNT_CONNECT:
            let to = call.egressProxy.map { "the egress proxy \($0.host):\($0.port)" } ?? peer
            let error = number(CURLINFO_OS_ERRNO)
            let reason = error == 0 ? "" : ": \(SystemError.text(Int32(clamping: error)))"
            return fault(.connect, "\(to) does not accept a connection\(reason)")
        default:
            break
        }
        let verdict = number(CURLINFO_HTTP_CONNECTCODE)
        if call.egressProxy != nil, verdict / 100 != 2 {
            let text = verdict == 0 ? "broke the connection off" : "answered \(verdict) to CONNECT"
            return fault(.connect, "the egress proxy \(text)")
        }
        guard isHandshaking else { return fault(.broke, Self.words(code)) }
        let reason = refusal ?? "the connection ended during the handshake"
        return fault(.tls, "no TLS connection to \(peer) as \(serverName): \(reason)")
    }

    private func faultOfExchange(_ code: CURLcode) -> CallFault {
        let isTooLarge = reader.isTooLarge || code == CURLE_OUT_OF_MEMORY && reader.answer == nil
        if isTooLarge { return fault(.tooLarge, "\(peer) answered more than is read of an answer") }
        switch code {
        case CURLE_GOT_NOTHING:
            return fault(.broke, "\(peer) ended the connection without an answer")
        case CURLE_PARTIAL_FILE:
            return fault(.broke, "\(peer) ended the connection before its answer was complete")
        case CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            return fault(.broke, "\(peer) broke the connection off\(refusal.map { ": \($0)" } ?? "")")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return fault(.broke, "what \(peer) answered is no HTTP")
        default:
            return fault(.broke, "\(peer): \(Self.words(code))")
        }
    }

    /// libcurl's fixed text for a code.
    private static func words(_ code: CURLcode) -> String { String(cString: curl_easy_strerror(code)) }

    private func number(_ what: CURLINFO) -> Int {
        var value = 0
        return tollkey_curl_get_number(easy, what, &value) == CURLE_OK ? value : 0
    }

    /// From the transfer's beginning; 0 for what has not happened.
    private func microseconds(_ what: CURLINFO) -> Int {
        var value: curl_off_t = 0
        return tollkey_curl_get_size(easy, what, &value) == CURLE_OK ? Int(value) : 0
    }
}
