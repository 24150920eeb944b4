import TollkeyCore

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// What a buffer-writing call wrote.
func written(_ write: (Buffer) throws -> Void) rethrows -> String {
    let buffer = Buffer(capacity: 16)
    try write(buffer)
    return text(buffer.readable)
}

extension HeadError {
    var words: String {
        switch self {
        case .malformed(let text): text.description
        case .headTooLarge: "head too large"
        case .targetTooLong: "target too long"
        case .contentTooLarge: "content too large"
        }
    }
}

/// What became of a head.
enum Outcome: Equatable {
    /// With all that it says.
    case complete(String)
    case incomplete
    /// With the reason.
    case refused(String)

    var isRefused: Bool {
        if case .refused = self { return true }
        return false
    }
}

extension RequestHead {
    /// All that it says, so that two readings can be compared.
    func summary(_ bytes: [UInt8]) -> String {
        let parts: [String] = [
            text(bytes[method]), text(bytes[target.path]), text(bytes[target.query]),
            target.authority.map { text(bytes[$0]) } ?? "-", "\(minorVersion)", "\(framing)",
            "\(isPersistent)",
            "\(end)",
        ]
        return parts.joined(separator: "|") + "\n" + fields.summary(bytes)
    }
}

extension ResponseHead {
    /// All that it says, so that two readings can be compared.
    func summary(_ bytes: [UInt8]) -> String {
        "\(status)|\(text(bytes[statusAndReason]))|\(minorVersion)|\(framing(toHead: false))|\(isPersistent)|\(end)\n"
            + fields.summary(bytes)
    }
}

extension MessageFields {
    func summary(_ bytes: [UInt8]) -> String {
        let rows = lines.map { "\(text(bytes[$0.name]))=\(text(bytes[$0.value]))(\($0.known))" }
        let host = host.map { "\($0)" } ?? "-"
        return rows.joined(separator: "\n")
            + "\n\(host) \(expectsContinue) \(hasIdempotencyKey(bytes.span)) \(hasVia)"
            + " \(hasBrowserFields) \(connection)"
    }
}

/// Reads a request's head that arrives in parts which end at `cuts` and at its end.
func readRequest(
    _ bytes: [UInt8], cutAt cuts: some Sequence<Int> = [], limits: ClientLimits = ClientLimits()
) -> Outcome {
    var head = RequestHead()
    do throws(HeadError) {
        for cut in cuts where try head.read(bytes.span.extracting(0..<cut), limits: limits) {
            return .complete(head.summary(bytes))
        }
        guard try head.read(bytes.span, limits: limits) else { return .incomplete }
        return .complete(head.summary(bytes))
    } catch {
        return .refused(error.words)
    }
}

/// Reads an answer's head that arrives in parts which end at `cuts` and at its end.
func readResponse(_ bytes: [UInt8], cutAt cuts: some Sequence<Int> = []) -> Outcome {
    var head = ResponseHead()
    do throws(HeadError) {
        for cut in cuts where try head.read(bytes.span.extracting(0..<cut)) {
            return .complete(head.summary(bytes))
        }
        guard try head.read(bytes.span) else { return .incomplete }
        return .complete(head.summary(bytes))
    } catch {
        return .refused(error.words)
    }
}

/// What a decoder made of parts that came one after the other.
struct Decoded: Equatable {
    var content: [UInt8] = []
    var trailers = ""
    var hasEnded = false
    /// Bytes behind the message's end.
    var left = 0
}

func decode(_ framing: BodyFraming, _ parts: [[UInt8]]) throws(HeadError) -> Decoded {
    var decoder = BodyDecoder(framing)
    var result = Decoded()
    for part in parts {
        var position = 0
        reading: while true {
            switch try decoder.next(part.span, at: &position) {
            case .content(let range): result.content += part[range]
            case .more: break reading
            case .end:
                result.hasEnded = true
                break reading
            }
        }
        result.left += part.count - position
    }
    result.trailers = text(decoder.trailers)
    return result
}

/// A test's own material is wrong.
struct NotComplete: Error {}

/// A request's head that must be good.
func request(_ text: String, limits: ClientLimits = ClientLimits()) throws -> RequestHead {
    var head = RequestHead()
    guard try head.read(bytes(text).span, limits: limits) else { throw NotComplete() }
    return head
}

/// An answer's head that must be good.
func response(_ text: String) throws -> ResponseHead {
    var head = ResponseHead()
    guard try head.read(bytes(text).span) else { throw NotComplete() }
    return head
}

/// A provider of the name `acme`.
func acme(
    _ scheme: UpstreamURL.Scheme = .https, _ host: String = "api.acme.test", port: Int? = nil,
    base: String = "", _ change: (inout ProviderSettings) -> Void = { _ in }
) -> ProviderSettings {
    var url = UpstreamURL(scheme: scheme, host: host, port: 0, basePath: base)
    url.port = port ?? url.defaultPort
    var provider = ProviderSettings(name: "acme", upstream: url)
    change(&provider)
    return provider
}

extension InjectedHeader {
    init(_ name: String, _ text: String) { self.init(name: name, value: [.text(text)]) }
}
