import TollkeyCore

/// A program in Lua that the server performs as a whole, or not at all beside others.
package struct RedisScript: Sendable, Equatable {
    package let source: String
    /// SHA-1 in hexadecimal, which the server knows a script by; nil where libcrypto's configuration forbids it.
    package let digest: String?

    package init(_ source: String) {
        self.source = source
        let bytes = SystemCryptography().hash(.sha1, Array(source.utf8))
        digest = bytes.isEmpty ? nil : Hex.text(bytes)
    }

    /// By the digest, which the server may not know yet: `NOSCRIPT`.
    func byDigest(keys: [RedisArgument], _ arguments: [RedisArgument]) -> RedisCommand? {
        digest.map {
            RedisCommand(["EVALSHA", RedisArgument($0), RedisArgument(keys.count)] + keys + arguments)
        }
    }

    /// With the source, which the server keeps from then on.
    func bySource(keys: [RedisArgument], _ arguments: [RedisArgument]) -> RedisCommand {
        RedisCommand(["EVAL", RedisArgument(source), RedisArgument(keys.count)] + keys + arguments)
    }
}
