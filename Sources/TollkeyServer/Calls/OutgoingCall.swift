package import TollkeyCore

/// A call that the proxy makes by itself, ready to be sent: for a token, a probe, an OTP.
package struct OutgoingCall: Sendable {
    package struct Field: Sendable, Equatable {
        /// As it is to be written.
        package var name: String
        package var value: Secret
        package init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }

    package var method: String
    /// Scheme, host and port; they make `Host`. A base path is a part of `target`.
    package var url: UpstreamURL
    /// Path and query as they go over the wire, percent-encoded.
    package var target: Secret
    package var fields: [Field] = []
    /// Goes with a `Content-Length`. Nil is none, which is not the same as empty.
    package var content: Secret?
    package var tls = TLSSettings()
    /// Where to connect instead of resolving the URL's name, tried in this order.
    package var addresses: [UpstreamAddress] = []
    /// Every call that has one goes through it, in a tunnel: it sees the host and nothing else.
    package var egressProxy: EgressProxy?
    /// For name resolution, TCP, the proxy's tunnel and TLS together, over all addresses.
    package var connectTimeout: Duration = .seconds(15)
    /// From the beginning to the answer's last byte.
    package var wholeTimeout: Duration = .seconds(30)
    /// Bytes of the answer's content.
    package var answerBytesMax = 256 << 10

    package init(method: String, url: UpstreamURL, target: Secret) {
        self.method = method
        self.url = url
        self.target = target
    }

    /// Bytes of an answer's head, interim answers and trailers included.
    package static let answerHeadBytesMax = 64 << 10
    /// Fields in the head of an answer.
    package static let answerFieldsMax = 200
}

/// A proxy between us and the providers, that opens tunnels (RFC 9110 §9.3.6).
package struct EgressProxy: Sendable, Equatable {
    /// A name, or a literal address without brackets.
    package var host: String
    package var port: Int
    /// For `Proxy-Authorization: Basic`; the user holds no colon (RFC 7617).
    package var user: Secret?
    package var password: Secret?

    package init(host: String, port: Int, user: Secret? = nil, password: Secret? = nil) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }
}

extension OutgoingCall {
    /// Why this cannot be written as HTTP, without any of its secrets; nil when it can.
    ///
    /// Values come from secrets and from answers of providers: one with a line break in it would be a header, or a
    /// request, of somebody else's making.
    var flaw: String? {
        guard Self.isToken(method), method != "CONNECT" else { return "its method is none" }
        guard Self.isHost(url.host), Self.isPort(url.port) else { return "its URL has no usable host" }
        if let name = tls.serverName, !Self.isHost(name) { return "its server name is none" }
        guard addresses.allSatisfy({ Self.isHost($0.host) && Self.isPort($0.port) }) else {
            return "one of its addresses is none"
        }
        guard target.reveal({ $0.first == UInt8(ascii: "/") && $0.allSatisfy(Characters.isQuery) }) else {
            return "its path or query has a character that does not belong there"
        }
        for field in fields {
            guard Self.isToken(field.name) else { return "the name of one of its headers is none" }
            if Self.ours.contains(field.name.lowercased()) { return "\(field.name) is not its to set" }
            guard field.value.reveal({ $0.allSatisfy(Characters.isFieldValue) }) else {
                return "the value for \(field.name) has a character that no header may hold"
            }
        }
        guard let egressProxy else { return nil }
        guard Self.isHost(egressProxy.host), Self.isPort(egressProxy.port) else {
            return "the egress proxy has no usable host"
        }
        let parts = [egressProxy.user, egressProxy.password].compactMap { $0 }
        return parts.contains { $0.reveal { $0.contains(0) } } ? "the egress proxy's password is none" : nil
    }

    /// What frames the message or names its receiver is written by us alone.
    private static let ours: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade",
        "expect", "proxy-connection", "proxy-authorization", "accept-encoding",
    ]

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(Characters.isToken)
    }

    /// A name or a literal address: what can be put into a URL and mean nothing else there.
    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                Characters.isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ":")
            }
    }

    private static func isPort(_ port: Int) -> Bool { (1...65_535).contains(port) }
}
