import Testing
import TollkeyConfig
import TollkeyCore
import TollkeySandbox

extension EndToEnd {
    /// The shipped descriptions, as a configuration names them, against the providers as the sandbox plays them.
    struct ProvidersTests {
        private static let credentials = SandboxCredentials()

        struct Shipped: CustomTestStringConvertible {
            let provider: Provider
            /// A line for what is not the description's own way, or nothing.
            var variant = ""
            let secrets: [String: String]
            /// What must arrive.
            let headers: [String: String]
            /// Calls from the provider's documents.
            let calls: [(method: String, path: String, content: String)]
            var testDescription: String { provider.rawValue }
        }

        static let shipped = [
            Shipped(
                provider: .piaxis, secrets: ["api_key": credentials.piaxisAPIKey],
                headers: ["api-key": credentials.piaxisAPIKey],
                calls: [
                    ("POST", "/api/payments/create", #"{"amount":5,"currency":"UGX"}"#),
                    ("GET", "/api/payments/pay_1", ""),
                ]),
            Shipped(
                provider: .tezpay, variant: "variant: token",
                secrets: ["token": credentials.tezpayStaticToken],
                headers: ["Authorization": "Bearer \(credentials.tezpayStaticToken)"],
                calls: [
                    ("POST", "/api/v1/tezpay/process-payment", #"{"merchant_reference":"r1"}"#),
                    ("GET", "/api/v1/tezpay/get-status?transaction_id=TXN1", ""),
                ]),
            Shipped(
                provider: .pixlpay, secrets: ["api_token": credentials.pixlpayToken],
                headers: [
                    "Authorization": "Bearer \(credentials.pixlpayToken)", "Accept": "application/json",
                ],
                calls: [("POST", "/orders", "{}"), ("GET", "/products", ""), ("DELETE", "/orders/7", "")]),
            Shipped(
                provider: .tuku,
                secrets: ["api_key": credentials.tukuAPIKey, "app_id": credentials.tukuAppID],
                headers: [
                    "Authorization": "Bearer \(credentials.tukuAPIKey)", "X-App-ID": credentials.tukuAppID,
                ],
                calls: [
                    ("POST", "/api/transactions/create", #"{"amount":1}"#),
                    ("GET", "/api/auth/validate-key", ""),
                ]),
            Shipped(
                provider: .jpay, variant: "variant: token",
                secrets: ["token": credentials.jpayStaticToken],
                headers: ["Authorization": "Bearer \(credentials.jpayStaticToken)"],
                calls: [
                    ("POST", "/payments/collections/checkouts", #"{"amount":3}"#),
                    ("GET", "/payments/collections/checkouts", ""),
                ]),
        ]

        @Test(arguments: shipped)
        func `a shipped provider accepts what it is sent`(_ shipped: Shipped) async throws {
            try await withStage { stage in
                let proxy = try Proxy(settings(shipped, stage))
                defer { proxy.stop() }
                let name = shipped.provider.rawValue
                let client = try proxy.connect()
                for call in shipped.calls {
                    try client.send(request(call.method, "/\(name)\(call.path)", call.content))
                    let answer = try client.answer()
                    #expect(
                        (200..<300).contains(answer.status), "\(call.method) \(call.path): \(answer.text)")
                }
                let arrived = stage.sandbox.record.requests(of: shipped.provider)
                #expect(arrived.map(\.method) == shipped.calls.map(\.method))
                #expect(arrived.map(\.target) == shipped.calls.map { shipped.provider.basePath + $0.path })
                for (header, value) in shipped.headers {
                    #expect(arrived.allSatisfy { $0.values(of: header) == [value] }, "\(header)")
                }
            }
        }

        @Test(arguments: shipped)
        func `what a client says of itself and of its connection does not reach the provider`(
            _ shipped: Shipped
        ) async throws {
            try await withStage { stage in
                let proxy = try Proxy(settings(shipped, stage))
                defer { proxy.stop() }
                let fields = [
                    "Authorization: Bearer stolen", "authorization: Basic eDp5", "api-key: mine",
                    "API_KEY: mine", "X_App_ID: mine", "x-app-id: mine", "Cookie: a=b",
                    "Forwarded: for=1.2.3.4",
                    "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: evil.test",
                    "Proxy-Authorization: Basic eDp5",
                    "Proxy-Connection: keep-alive", "Keep-Alive: timeout=5", "TE: trailers", "Upgrade: h2c",
                    "Connection: X-Hop, Authorization, api-key, X-App-ID", "X-Hop: 1",
                ]
                let answer = try proxy.answer(
                    to: request(
                        "GET", "/\(shipped.provider.rawValue)/sandbox/echo", "",
                        fields.map { $0 + "\r\n" }.joined()))
                #expect(answer.status == 200)
                let arrived = try #require(stage.sandbox.record.requests(of: shipped.provider).first)
                let injected = Set(shipped.headers.keys.map { $0.lowercased() })
                let removed = [
                    "authorization", "cookie", "forwarded", "x-forwarded-for", "x-forwarded-host",
                    "proxy-authorization", "proxy-connection", "keep-alive", "te", "upgrade", "connection",
                    "x-hop", "api-key", "x-app-id",
                ]
                for name in removed where !injected.contains(name) {
                    #expect(arrived.values(of: name) == [], "\(name)")
                }
                for (header, value) in shipped.headers {
                    // Some servers take `_` in a name for `-`.
                    let alike = arrived.headers.filter {
                        $0.name.lowercased().replacing("_", with: "-") == header.lowercased()
                    }
                    #expect(alike.map(\.value) == [value], "\(header)")
                }
            }
        }

        private func settings(_ shipped: Shipped, _ stage: Stage) throws -> Settings {
            let name = shipped.provider.rawValue
            let secrets = shipped.secrets.keys.sorted().map { "\($0): \"${env:\($0)}\"" }
            let text = """
                listen: 127.0.0.1:0
                state: \(stage.folder.path)
                providers:
                  \(name):
                    use: \(name)
                    upstream: \(stage.sandbox.url(of: shipped.provider))
                    tls: { ca: \(stage.ca) }
                    secrets: { \(secrets.joined(separator: ", ")) }
                    \(shipped.variant)
                """
            let reader = ConfigurationReader(file: "proxy.yaml") { reference in
                guard case .environment(let name) = reference, let secret = shipped.secrets[name] else {
                    return .failure(SecretFailure("is not known"))
                }
                return .success(Secret(secret))
            }
            return try reader.read(Array(text.utf8)).get()
        }

        private func request(_ method: String, _ path: String, _ content: String, _ fields: String = "")
            -> String
        {
            let length = content.isEmpty ? "" : "Content-Length: \(content.utf8.count)\r\n"
            return "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(fields)\(length)\r\n\(content)"
        }
    }
}
