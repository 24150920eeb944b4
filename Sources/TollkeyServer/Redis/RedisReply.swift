import CHiredis

/// What the server answers to one command (RESP, version 2).
package enum RedisReply: Sendable, Equatable {
    /// A word of the server's own: `OK`.
    case text(String)
    case bytes([UInt8])
    case integer(Int64)
    case array([RedisReply])
    case null
    case error(RedisErrorReply)
}

extension RedisReply {
    /// The server does not know a script by that digest, and has done nothing.
    var isNoScript: Bool { if case .error(let no) = self { no.code == "NOSCRIPT" } else { false } }
}

/// The server's no to one command.
///
/// The rest of its words is left out: they quote the command, whose arguments may be secrets.
package struct RedisErrorReply: Sendable, Equatable {
    /// The first word, `WRONGTYPE`, by which clients are told to tell errors apart.
    package let code: String
    /// Where a script went wrong and how, as the server puts it; nil for errors of anything else.
    package let scriptText: String?

    package static let codeBytesMax = 32
    package static let scriptTextMax = 240

    init(_ text: some Sequence<UInt8>) {
        let text = String(decoding: text.map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }, as: UTF8.self)
        let code = text.prefix { $0 != " " }
        let isCode = code.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) }
        self.code = isCode && (1...Self.codeBytesMax).contains(code.utf8.count) ? String(code) : "ERR"
        // What the server calls every script. Its words from there on are about our source, not about arguments.
        scriptText = text.firstRange(of: "user_script:").map {
            String(text[$0.lowerBound...].prefix(Self.scriptTextMax))
        }
    }
}

extension RedisReply {
    /// Arrays in arrays; hiredis itself goes no deeper than nine.
    static let depthMax = 9

    /// Copies what hiredis has made; nil for a type that it should not know, or beyond `depthMax`.
    init?(_ reply: UnsafePointer<redisReply>, depth: Int = 1) {
        let value = reply.pointee
        switch value.type {
        case REDIS_REPLY_STATUS: self = .text(String(decoding: Self.bytes(value), as: UTF8.self))
        case REDIS_REPLY_STRING: self = .bytes(Self.bytes(value))
        case REDIS_REPLY_INTEGER: self = .integer(value.integer)
        case REDIS_REPLY_NIL: self = .null
        case REDIS_REPLY_ERROR: self = .error(RedisErrorReply(Self.bytes(value)))
        case REDIS_REPLY_ARRAY:
            guard depth < Self.depthMax else { return nil }
            var elements: [RedisReply] = []
            elements.reserveCapacity(Int(value.elements))
            for element in UnsafeBufferPointer(start: value.element, count: Int(value.elements)) {
                guard let element, let reply = RedisReply(element, depth: depth + 1) else { return nil }
                elements.append(reply)
            }
            self = .array(elements)
        default: return nil
        }
    }

    private static func bytes(_ value: redisReply) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: value.str, count: Int(value.len)))
    }
}
