/// Which of the client's fields reach one provider.
package struct HeaderPolicy: Sendable {
    /// Lower case, `-` for `_`.
    private let injected: [[UInt8]]
    private let passed: [[UInt8]]
    /// Bit n: an injected name has n bytes. Spares nearly every field the comparison.
    private let injectedLengths: UInt64

    package init(_ provider: ProviderSettings) {
        injected = (provider.inject + (provider.otp?.inject ?? [])).map { $0.name.utf8.map(\.inName) }
        passed = provider.pass.map { $0.utf8.map(\.inName) }
        injectedLengths = injected.reduce(0) { $0 | 1 << UInt64($1.count & 63) }
    }

    /// Whether the client's field stays behind. What is injected always does, under any spelling of its name.
    package func removes(_ line: FieldLine, _ bytes: Span<UInt8>) -> Bool {
        switch line.known {
        case .host, .expect: return true
        case .authorization, .cookie, .forwarded, .override:
            return isInjected(line, bytes) || !isIn(passed, bytes.extracting(line.name))
        case .other, .contentLength, .via, .origin, .secFetchSite, .idempotencyKey, .location, .problem:
            return isInjected(line, bytes)
        case .connection, .te, .upgrade, .keepAlive, .proxy, .transferEncoding, .imitation: return true
        }
    }

    private func isInjected(_ line: FieldLine, _ bytes: Span<UInt8>) -> Bool {
        let length = UInt64((line.nameEnd - line.start) & 63)
        return injectedLengths >> length & 1 != 0 && isIn(injected, bytes.extracting(line.name))
    }

    private func isIn(_ names: [[UInt8]], _ name: Span<UInt8>) -> Bool {
        for other in names where name.isName(other) { return true }
        return false
    }
}
