import CCurl
import Glibc
import TollkeyCore

extension Transfer {
    /// Sets every option; false when libcurl did not take one, and the call must not be made.
    func prepare(_ timeouts: Timeouts) -> Bool {
        var options = CurlOptions(easy)
        setBounds(timeouts, &options)
        setRoute(&options)
        setTLS(&options)
        setRequest(&options)
        setCallbacks(&options)
        return options.areSet
    }

    private func setBounds(_ timeouts: Timeouts, _ options: inout CurlOptions) {
        // No signals, whose handlers are not ours to give; and no waiting for a resolver's thread that hangs.
        options.set(CURLOPT_NOSIGNAL, 1)
        options.set(CURLOPT_QUICK_EXIT, 1)
        options.set(CURLOPT_CONNECTTIMEOUT_MS, Self.milliseconds(timeouts.connect))
        options.set(CURLOPT_TIMEOUT_MS, Self.milliseconds(timeouts.whole))
        options.set(CURLOPT_FOLLOWLOCATION, 0)
        options.set(CURLOPT_PROTOCOLS_STR, "http,https")
        options.set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        options.set(CURLOPT_HTTP09_ALLOWED, 0)
        // libcurl sends a request again when a reused connection dies under it. A refresh token is spent once.
        options.set(CURLOPT_FRESH_CONNECT, 1)
        options.set(CURLOPT_FORBID_REUSE, 1)
        options.set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        options.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    }

    /// Where the connection goes. The URL names the server that is expected there.
    private func setRoute(_ options: inout CurlOptions) {
        let expected = UpstreamURL(
            scheme: call.url.scheme, host: serverName, port: call.url.port, basePath: "")
        options.set(CURLOPT_URL, "\(expected.scheme.rawValue)://\(expected.authority)/")
        if address != nil || serverName != call.url.host {
            let to = address ?? UpstreamAddress(host: call.url.host, port: call.url.port)
            // Whatever host and port it would be.
            if !route.append(Array("::\(Self.bracketed(to.host)):\(to.port)".utf8)) { options.fail() }
            options.set(CURLOPT_CONNECT_TO, route.pointer)
        }
        // Also when there is none: otherwise the environment's would be taken.
        options.set(CURLOPT_NOPROXY, "")
        guard let proxy = call.egressProxy else { return options.set(CURLOPT_PROXY, "") }
        options.set(CURLOPT_PROXY, "http://\(Self.bracketed(proxy.host)):\(proxy.port)")
        options.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        options.set(CURLOPT_PROXYAUTH, TOLLKEY_CURL_BASIC)
        if let user = proxy.user {
            options.set(CURLOPT_PROXYUSERNAME, user)
            options.set(CURLOPT_PROXYPASSWORD, proxy.password ?? Secret(""))
        }
    }

    private func setRequest(_ options: inout CurlOptions) {
        // Not as a part of the URL: libcurl would take it apart and put it together again.
        options.set(CURLOPT_REQUEST_TARGET, call.target)
        options.set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
        options.set(CURLOPT_USERAGENT, "tollkey")
        setMethod(&options)
        var areTaken = true
        for line in [
            "Host: \(call.url.authority)", "Accept-Encoding: identity", "Connection: close", "Expect:",
        ] {
            areTaken = areTaken && lines.append(Array(line.utf8))
        }
        if !call.fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            // libcurl would call it a form.
            areTaken = areTaken && lines.append(Array("Content-Type:".utf8))
        }
        for field in call.fields {
            let line = field.value.reveal { value in
                // How libcurl wants to hear of a field that is there and empty.
                value.allSatisfy { $0 == 0x20 || $0 == 9 }
                    ? Array("\(field.name);".utf8) : Array("\(field.name): ".utf8) + value
            }
            areTaken = areTaken && lines.append(line)
        }
        guard areTaken else { return options.fail() }
        options.set(CURLOPT_HTTPHEADER, lines.pointer)
    }

    private func setMethod(_ options: inout CurlOptions) {
        switch (call.method, call.content) {
        case ("HEAD", nil):
            options.set(CURLOPT_NOBODY, 1)
        case ("GET", nil):
            options.set(CURLOPT_HTTPGET, 1)
        case ("POST", nil), ("PUT", nil), ("PATCH", nil), (_, _?):
            options.set(CURLOPT_POST, 1)
            let count = call.content?.reveal { $0.count } ?? 0
            options.set(CURLOPT_POSTFIELDSIZE_LARGE, size: count)
            // Lent: libcurl copies a content of up to 64 KiB once more, together with the head.
            options.set(CURLOPT_POSTFIELDS, pointer: content.pointer)
            options.set(CURLOPT_CUSTOMREQUEST, call.method)
        case (_, nil):
            options.set(CURLOPT_HTTPGET, 1)
            options.set(CURLOPT_CUSTOMREQUEST, call.method)
        }
    }

    private func setCallbacks(_ options: inout CurlOptions) {
        let this = Unmanaged.passUnretained(self).toOpaque()
        for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_PREREQDATA] {
            options.set(option, pointer: this)
        }
        options.set(CURLOPT_HEADERFUNCTION) { bytes, size, count, this in
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.from(this)?.reader.takeLine(line) == true ? line.count : 0
        }
        options.set(CURLOPT_WRITEFUNCTION) { bytes, size, count, this in
            let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Transfer.from(this)?.reader.takeContent(piece) == true ? piece.count : 0
        }
        options.onRequest { this, _, _, _, _ in
            Transfer.from(this)?.hasBegun = true
            return CURL_PREREQFUNC_OK
        }
        options.onSocket { _, descriptor, _ in
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR
        }
    }

    static func from(_ pointer: UnsafeMutableRawPointer?) -> Transfer? {
        pointer.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The name that the certificate must be valid for.
    var serverName: String {
        call.url.scheme == .https ? call.tls.serverName ?? call.url.host : call.url.host
    }

    private static func bracketed(_ host: String) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }

    /// Rounded up, and never 0, which libcurl takes for no bound.
    private static func milliseconds(_ span: TimeSpan) -> Int {
        Int(clamping: min(max(1, (span.nanoseconds - 1) / 1_000_000 + 1), Int64(Int32.max)))
    }
}

/// Sets options and remembers whether all were taken.
struct CurlOptions {
    private let easy: UnsafeMutableRawPointer
    private(set) var areSet = true

    init(_ easy: UnsafeMutableRawPointer) { self.easy = easy }

    mutating func fail() { areSet = false }

    private mutating func check(_ code: CURLcode) { if code != CURLE_OK { areSet = false } }

    mutating func set(_ option: CURLoption, _ number: Int) {
        check(tollkey_curl_set_number(easy, option, number))
    }

    mutating func set(_ option: CURLoption, size: Int) {
        check(tollkey_curl_set_size(easy, option, curl_off_t(size)))
    }

    /// Nil is the option's own absence, which is not always its default.
    mutating func set(_ option: CURLoption, _ text: String?) {
        check(tollkey_curl_set_text(easy, option, text))
    }

    /// libcurl keeps a copy of its own.
    mutating func set(_ option: CURLoption, _ secret: Secret) {
        let text = secret.reveal { WipedBytes($0 + [0]) }
        check(tollkey_curl_set_text(easy, option, text.pointer?.assumingMemoryBound(to: CChar.self)))
    }

    mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        check(tollkey_curl_set_pointer(easy, option, pointer))
    }

    mutating func set(_ option: CURLoption, _ list: UnsafeMutablePointer<curl_slist>?) {
        check(tollkey_curl_set_list(easy, option, list))
    }

    mutating func set(_ option: CURLoption, _ writer: @escaping curl_write_callback) {
        check(tollkey_curl_set_writer(easy, option, writer))
    }

    mutating func onRequest(_ callback: @escaping curl_prereq_callback) {
        check(tollkey_curl_on_request(easy, callback))
    }

    mutating func onSocket(_ callback: @escaping curl_sockopt_callback) {
        check(tollkey_curl_on_socket(easy, callback))
    }

    mutating func onTLS(_ callback: @escaping curl_ssl_ctx_callback) {
        check(tollkey_curl_on_tls(easy, callback))
    }
}
