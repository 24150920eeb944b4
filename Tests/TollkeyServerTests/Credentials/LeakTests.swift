import Glibc
import Testing
import TollkeyCore
import TollkeySandbox
import TollkeyServer

extension EndToEnd {
    /// Every secret and token of a run, looked for in everything that the run leaves behind.
    struct LeakTests {
        /// How a secret looks: in clear, base64 (in each of three alignments), hexadecimal, percent-encoded.
        private static func forms(_ secret: String) -> [String] {
            let bytes = Array(secret.utf8)
            let hex = String(decoding: TextEncoding.hex.encode(bytes), as: UTF8.self)
            let encoded = (0..<3).map { shift in
                let shifted = Array(repeating: UInt8(0), count: shift) + bytes
                let text = String(decoding: TextEncoding.base64.encode(shifted), as: UTF8.self)
                // Without the ends, which depend on the neighbours.
                return String(text.dropFirst(4).dropLast(4))
            }
            return [secret, hex, hex.uppercased()] + encoded
        }

        private static func files(_ folder: String) -> [(String, [UInt8])] {
            ["tollkey.db", "tollkey.db-wal", "tollkey.db-shm", "key", "changed"].compactMap { name in
                (try? SmallFile("\(folder)/\(name)", bytesMax: 8 << 20)).map { (name, $0.bytes) }
            }
        }

        private static func contains(_ bytes: [UInt8], _ text: String) -> Bool {
            let needle = Array(text.utf8)
            return bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, let first = needle.first else { return false }
                var rest = bytes.count
                while rest >= needle.count {
                    let from = start + (bytes.count - rest)
                    guard let found = memchr(from, Int32(first), rest) else { return false }
                    rest = bytes.count - (UnsafeRawPointer(found) - start)
                    if rest >= needle.count, memcmp(found, needle, needle.count) == 0 { return true }
                    rest -= 1
                }
                return false
            }
        }

        @Test func `no secret and no token is in logs, answers, or the state's bytes`() async throws {
            try await withCredentialStage { stage in
                var seen: [(String, [UInt8])] = []
                let faults: [Fault?] = [
                    nil, .unauthorized, .nonsense, .empty, .hollow, .oauthError(.invalidClient),
                    .oauthError(.invalidGrant), .serverError, .garbage, .closeMidBody, .reset, .redirect,
                    .rateLimited(seconds: 1),
                ]
                for fault in faults {
                    for settings in [try stage.jpay, try stage.tezpay] {
                        let name = settings.providers[0].name
                        let provider = try #require(Provider(rawValue: name))
                        let proxy = try stage.proxy(settings)
                        defer { proxy.stop() }
                        if let fault {
                            stage.sandbox.revokeTokens(of: provider)
                            stage.sandbox.arm(fault, on: provider, count: nil)
                        }
                        for _ in 0..<3 {
                            let answer = try proxy.connect(
                                sending:
                                    "GET /\(name)/sandbox/sink HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            ).rest()
                            seen.append(("answer of \(name)", answer))
                            proxy.pass(.seconds(400))
                        }
                        stage.sandbox.disarm()
                    }
                    seen += Self.files(stage.state)
                }
                seen.append(("log", Array(stage.log.lines.joined(separator: "\n").utf8)))
                #expect(stage.log.lines.count > 20)
                let credentials = SandboxCredentials()
                let secrets =
                    stage.sandbox.record.issued(by: .jpay) + stage.sandbox.record.issued(by: .tezpay) + [
                        credentials.jpayAppSecret, credentials.jpayAppKey, credentials.tezpayClientSecret,
                        credentials.tezpayClientID,
                    ]
                #expect(secrets.count > 10)
                // That the search can find something at all.
                #expect(Self.contains(Array("x\(secrets[0])y".utf8), Self.forms(secrets[0])[0]))
                for secret in secrets {
                    for form in Self.forms(secret) {
                        for (place, bytes) in seen where Self.contains(bytes, form) {
                            Issue.record("a secret is in \(place)")
                        }
                    }
                }
            }
        }
    }
}
