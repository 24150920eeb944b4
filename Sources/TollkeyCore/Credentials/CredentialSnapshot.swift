/// What is injected into a provider's calls right now: finished header lines, all of one generation.
///
/// Event loops read the published snapshot without waiting for anybody; a renewal publishes the next one.
package struct CredentialSnapshot: Sendable {
    /// Grows with each snapshot that is published for a provider.
    package let generation: Int
    private let lines: Secret

    /// Renders `headers` with `secrets`; a secret that is missing renders as nothing, which the configuration's
    /// checks exclude.
    package init(generation: Int, headers: [InjectedHeader], secrets: [String: Secret]) {
        var bytes: [UInt8] = []
        for header in headers {
            bytes += Array(header.name.utf8)
            bytes += [UInt8(ascii: ":"), 0x20]
            for part in header.value {
                switch part {
                case .text(let text): bytes += Array(text.utf8)
                case .secret(let name): secrets[name]?.reveal { bytes += $0 }
                case .credential, .value, .request, .input: break
                }
            }
            bytes += [13, 10]
        }
        self.generation = generation
        self.lines = Secret(bytes)
    }

    /// Writes the header lines into a head.
    package func write(into buffer: Buffer) {
        lines.reveal { buffer.append($0) }
    }
}
