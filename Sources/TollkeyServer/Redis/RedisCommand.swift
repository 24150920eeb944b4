import CHiredis
import COpenSSL
package import TollkeyCore

/// A word of a command: any bytes.
package struct RedisArgument: Sendable, Equatable, ExpressibleByStringLiteral {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }
    package init(stringLiteral text: String) { self.init(text) }
    package init(_ number: some BinaryInteger) { self.init(String(number)) }
    package init(_ secret: Secret) { bytes = secret.reveal { $0 } }
}

/// A command: its name, and what it is about.
package struct RedisCommand: Sendable, Equatable, ExpressibleByArrayLiteral {
    package let words: [RedisArgument]

    package init(_ words: [RedisArgument]) { self.words = words }
    package init(arrayLiteral words: RedisArgument...) { self.words = words }

    /// Commands that are sent together.
    package static let togetherMax = 16_384
    /// Bytes that are sent together.
    package static let bytesMax = 1 << 20

    /// As they go over the wire, one behind the other; nil when that passes a bound, or a command has no words.
    static func encoded(_ commands: [RedisCommand]) -> [UInt8]? {
        guard commands.count <= togetherMax else { return nil }
        var bytes: [UInt8] = []
        for command in commands {
            guard command.append(to: &bytes), bytes.count <= bytesMax else { return nil }
        }
        return bytes
    }

    private func append(to out: inout [UInt8]) -> Bool {
        let lengths = words.map(\.bytes.count)
        guard !words.isEmpty, lengths.reduce(0, +) <= Self.bytesMax else { return false }
        // One more, so that there is an address also without bytes.
        let all = words.flatMap(\.bytes) + [0]
        return all.withUnsafeBytes { all in
            var offset = 0
            var pointers = lengths.map { length in
                defer { offset += length }
                return all.baseAddress?.advanced(by: offset).assumingMemoryBound(to: CChar.self)
            }
            var text: UnsafeMutablePointer<CChar>?
            let count = Int(redisFormatCommandArgv(&text, Int32(words.count), &pointers, lengths))
            guard count > 0, let text else { return false }
            out.append(contentsOf: UnsafeRawBufferPointer(start: text, count: count))
            // There may have been a password in it.
            OPENSSL_cleanse(text, count)
            redisFreeCommand(text)
            return true
        }
    }
}
